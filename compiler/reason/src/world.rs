//! Everything that a question is answered with: the cluster with the two ends in it, peers, policies, and the reading.

use crate::party::{self, Party};
use crate::trace::Question;
use driver::{Db, world};
use facts::{Cluster, Pod};
use hir::peers::{Mentions, PeerTable};
use hir::{Dialect, Policy};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Everything that both ends are decided with.
pub(crate) struct World<'db> {
    pub db: &'db dyn Db,
    pub dialect: &'db Dialect,
    pub cluster: Cluster,
    pub peers: PeerTable,
    pub policies: Vec<Arc<Policy>>,
    /// Source and destination, as they were named.
    pub ends: [Party; 2],
    mentions: Mentions,
    /// The pods that stand for source and destination, where pods do.
    pub pods: [Option<Pod>; 2],
}

impl<'db> World<'db> {
    /// The world of a question as the database has it.
    pub fn of(db: &'db dyn Db, question: &Question) -> World<'db> {
        let policies = world::index(db).values().flat_map(|policies| policies.iter().cloned()).collect();
        World::with(db, question, db.project().dialect(db), policies, &world::mentions(db))
    }

    /// The world of a question under any reading, with these policies only.
    pub fn under(
        db: &'db dyn Db,
        question: &Question,
        dialect: &'db Dialect,
        policies: Vec<Arc<Policy>>,
    ) -> World<'db> {
        let mut mentions = Mentions::default();
        policies.iter().for_each(|policy| mentions.extend(&Mentions::of(policy)));
        World::with(db, question, dialect, policies, &mentions)
    }

    fn with(
        db: &'db dyn Db,
        question: &Question,
        dialect: &'db Dialect,
        policies: Vec<Arc<Policy>>,
        mentions: &Mentions,
    ) -> World<'db> {
        let cluster = world::cluster(db);
        let pods = [&question.source, &question.destination].map(|end| party::pod(&cluster, end));
        let mut cluster = (*cluster).clone();
        // Why: a cluster that only records what policies deny lets everything pass; who asks wants to know what they say.
        cluster.config.audit = false;
        let mut last = 0;
        let pods = pods.map(|pod| {
            last += 1;
            pod.map(|pod| with_address(&mut cluster, pod, last))
        });
        let peers = PeerTable::build(&cluster, mentions, dialect);
        let ends = [question.source.clone(), question.destination.clone()];
        World { db, dialect, cluster, peers, policies, ends, mentions: mentions.clone(), pods }
    }

    /// This world with something changed.
    pub fn but(&self, change: impl FnOnce(&mut Cluster, &mut [Option<Pod>; 2])) -> World<'db> {
        let (mut cluster, mut pods) = (self.cluster.clone(), self.pods.clone());
        change(&mut cluster, &mut pods);
        for pod in pods.iter().flatten() {
            if let Some(known) = cluster.pods.get_mut(&pod.name) {
                known.clone_from(pod);
            }
        }
        let peers = PeerTable::build(&cluster, &self.mentions, self.dialect);
        let (ends, mentions) = (self.ends.clone(), self.mentions.clone());
        World {
            db: self.db,
            dialect: self.dialect,
            cluster,
            peers,
            policies: self.policies.clone(),
            ends,
            mentions,
            pods,
        }
    }

    /// Whether an address only stands in for one that a pod does not have yet.
    pub fn is_stand_in(&self, address: IpAddr) -> bool {
        [1, 2].iter().any(|last| stand_ins(*last).contains(&address))
    }
}

/// Gives a pod that has no address yet one that no real pod can have, so that it is a peer.
fn with_address(cluster: &mut Cluster, mut pod: Pod, last: u8) -> Pod {
    if pod.ips.is_empty() && !pod.host_network {
        pod.ips.extend(stand_ins(last));
        cluster.pods.insert(pod.name.clone(), pod.clone());
    }
    pod
}

/// Addresses of both families that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn stand_ins(last: u8) -> [IpAddr; 2] {
    let six = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, u16::from(last));
    [IpAddr::V4(Ipv4Addr::new(240, 0, 0, last)), IpAddr::V6(six)]
}
