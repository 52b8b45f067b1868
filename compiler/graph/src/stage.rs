//! The cluster that is drawn: as it was read, with addresses for pods that have none yet.

use driver::{Db, world};
use facts::{Cluster, Pod, Workload};
use hir::labels::NAMESPACE;
use hir::peers::{HostId, Mentions, PeerTable};
use hir::resolve::{self, Bound};
use hir::subject::{self, Class};
use hir::{Dialect, PeerSelector, Policy, Source};
use reason::Party;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// What everything is decided with.
pub(crate) struct Stage<'db> {
    pub db: &'db dyn Db,
    pub dialect: &'static Dialect,
    pub cluster: Cluster,
    pub peers: PeerTable,
    policies: Arc<BTreeMap<String, world::Policies>>,
    members: RefCell<FxHashMap<(PeerSelector, HostId), flow::Peers>>,
    /// Names of pods that stand for a workload without pods.
    pub supposed: BTreeMap<facts::Name, (facts::WorkloadKind, facts::Name)>,
    /// Names of pods whose address is made up.
    pub homeless: BTreeSet<facts::Name>,
}

impl<'db> Stage<'db> {
    pub fn of(db: &'db dyn Db) -> Stage<'db> {
        let mut cluster = (*world::cluster(db)).clone();
        // Why: a cluster that only records what policies deny lets everything pass; a reader wants to see what they say.
        cluster.config.audit = false;
        let mut supposed = Vec::new();
        for workload in cluster.workloads.values().filter(|it| pods_of(&cluster, it).next().is_none()) {
            let party = Party::Workload(workload.kind, workload.name.clone());
            supposed
                .extend(reason::party::pod(&cluster, &party).map(|pod| (pod, (workload.kind, workload.name.clone()))));
        }
        let supposed: Vec<(Pod, _)> = supposed.into_iter().filter(|(pod, _)| !pod.host_network).collect();
        let names = supposed.iter().map(|(pod, workload)| (pod.name.clone(), workload.clone())).collect();
        for (pod, _) in supposed {
            cluster.pods.entry(pod.name.clone()).or_insert(pod);
        }
        let mut homeless = BTreeSet::new();
        for (at, pod) in cluster.pods.values_mut().filter(|pod| pod.ips.is_empty() && !pod.host_network).enumerate() {
            pod.ips.extend(stand_ins(at as u32 + 1));
            homeless.insert(pod.name.clone());
        }
        let dialect = db.project().dialect(db);
        let mentions: Arc<Mentions> = world::mentions(db);
        let peers = PeerTable::build(&cluster, &mentions, dialect);
        let (policies, members) = (world::index(db), RefCell::default());
        Stage { db, dialect, cluster, peers, policies, members, supposed: names, homeless }
    }

    /// The class of a pod; `None` when no policy applies to it.
    pub fn class_of(&self, pod: &Pod) -> Option<Class> {
        subject::class_of_pod(pod, &self.cluster, &self.peers, self.dialect)
    }

    /// The policies that may select a class.
    pub fn policies_about(&self, class: &Class) -> impl Iterator<Item = &Arc<Policy>> {
        let own = class.labels.get(Some(&Source::K8s), NAMESPACE).and_then(|namespace| self.policies.get(namespace));
        own.into_iter().chain(self.policies.get("")).flat_map(|policies| policies.iter())
    }

    /// Binds a class.
    pub fn bind(&self, class: &Class) -> Bound {
        let mut members = |selector: &PeerSelector, host: HostId| {
            let key = (selector.clone(), host);
            if let Some(peers) = self.members.borrow().get(&key) {
                return peers.clone();
            }
            let peers = resolve::members(selector, host, &self.peers);
            self.members.borrow_mut().insert(key, peers.clone());
            peers
        };
        let policies = self.policies_about(class).map(|policy| &**policy);
        resolve::resolve_with(policies, class, &self.peers, &self.cluster.config, self.dialect, &mut members)
    }
}

/// The pods that a workload seems to have made: those of its namespace that carry all labels of its template.
pub(crate) fn pods_of<'c>(cluster: &'c Cluster, workload: &'c Workload) -> impl Iterator<Item = &'c Pod> {
    let first = facts::Name::new(workload.name.namespace.clone(), "");
    let in_namespace = cluster.pods.range(first..).map(|(_, pod)| pod);
    in_namespace
        .take_while(|pod| pod.name.namespace == workload.name.namespace)
        .filter(|pod| !pod.phase.is_over() && made(workload, pod))
}

/// Whether a workload seems to have made a pod.
pub(crate) fn made(workload: &Workload, pod: &Pod) -> bool {
    pod.name.namespace == workload.name.namespace
        && !workload.labels.is_empty()
        && workload.labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
}

/// Addresses of both families that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn stand_ins(number: u32) -> [IpAddr; 2] {
    let four = Ipv4Addr::from_bits(0xf100_0000 | number & 0x00ff_ffff);
    let six = Ipv6Addr::new(0x100, 0, 0, 0, 0, 1, (number >> 16) as u16, number as u16);
    [IpAddr::V4(four), IpAddr::V6(six)]
}
