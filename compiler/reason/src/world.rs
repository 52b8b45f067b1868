//! Everything that a question is answered with: the cluster with the two ends in it, peers, policies, and the reading.

use crate::party::{self, Party};
use crate::service::{Reached, Road};
use crate::trace::{Question, Trace};
use diagram::TooLarge;
use driver::{Db, world};
use facts::{Cluster, Name, Pod};
use flow::Direction;
use hir::peers::{Mentions, PeerTable};
use hir::resolve::Bound;
use hir::subject::Class;
use hir::{Dialect, Policy};
use rules::RuleSet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// What all questions to one set of policies share. Many questions to one ground cost much less than a ground each.
pub struct Ground<'db> {
    db: &'db dyn Db,
    dialect: &'db Dialect,
    policies: Arc<[Arc<Policy>]>,
    mentions: Arc<Mentions>,
    read: Standing,
    /// What differs for pods that have no address yet, by their names.
    supposed: Mutex<BTreeMap<[Option<Name>; 2], Standing>>,
}

/// A cluster with its peers, and what is bound in it.
#[derive(Clone)]
struct Standing {
    cluster: Arc<Cluster>,
    peers: Arc<PeerTable>,
    bound: Arc<Mutex<BTreeMap<Class, Arc<Rules>>>>,
}

/// What holds for one class.
pub(crate) struct Rules {
    pub bound: Bound,
    /// Ingress first.
    sets: [RuleSet; 2],
}

impl Rules {
    /// The rules of a direction.
    pub fn direction(&self, direction: Direction) -> &RuleSet {
        &self.sets[driver::meaning::slot(direction)]
    }
}

impl Standing {
    fn new(cluster: Arc<Cluster>, peers: Arc<PeerTable>) -> Standing {
        Standing { cluster, peers, bound: Arc::default() }
    }
}

impl<'db> Ground<'db> {
    /// The ground as the database has it.
    pub fn of(db: &'db dyn Db) -> Ground<'db> {
        let policies: Vec<Arc<Policy>> =
            world::index(db).values().flat_map(|policies| policies.iter().cloned()).collect();
        let cluster = asked_in(world::cluster(db));
        let read = Standing::new(cluster, world::peers(db));
        let (dialect, mentions) = (db.project().dialect(db), world::mentions(db));
        Ground { db, dialect, policies: policies.into(), mentions, read, supposed: Mutex::default() }
    }

    /// The same cluster and peers with other policies.
    ///
    /// Shape: they may mention nothing that the policies of the database do not, or some peers are not told apart.
    pub fn but(&self, policies: Vec<Arc<Policy>>) -> Ground<'db> {
        let read = Standing::new(self.read.cluster.clone(), self.read.peers.clone());
        let (policies, mentions) = (policies.into(), self.mentions.clone());
        Ground { db: self.db, dialect: self.dialect, policies, mentions, read, supposed: Mutex::default() }
    }

    /// Answers a question. Never fails: what is missing shows as [`Outcome::Unknown`](crate::trace::Outcome::Unknown).
    pub fn trace(&self, question: &Question) -> Trace {
        self.world(question).trace(question)
    }

    /// The classes whose policies are asked: that of the source and that of the destination, where policies apply.
    pub fn classes(&self, question: &Question) -> [Option<Class>; 2] {
        let world = self.world(question);
        [0, 1].map(|end| world.class(&world.ends[end], &world.pods[end]).ok().map(|(class, _)| class))
    }

    /// The policies.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// Whether policies decide every flow of a class as those of another ground do, whoever the peer is.
    ///
    /// Errors: a diagram would exceed a limit.
    pub fn agrees(&self, other: &Ground<'_>, class: &Class) -> Result<bool, TooLarge> {
        let peers = self.read.peers.peers().count() as u32;
        let (mine, theirs) = (self.rules(&self.read, class), other.rules(&other.read, class));
        for direction in Direction::BOTH {
            let build = |rules: &Rules| diagram::build(rules.direction(direction), peers, self.db.diagram_limits());
            if build(&mine)? != build(&theirs)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn world(&self, question: &Question) -> World<'db> {
        let ends = [question.source.clone(), question.destination.clone()];
        let mut pods = ends.clone().map(|end| party::pod(&self.read.cluster, &end));
        let homeless = |pod: &Option<Pod>| {
            pod.as_ref().filter(|pod| pod.ips.is_empty() && !pod.host_network).map(|pod| pod.name.clone())
        };
        let names = [homeless(&pods[0]), homeless(&pods[1])];
        for (pod, last) in pods.iter_mut().zip(1..) {
            if let Some(pod) = pod.as_mut().filter(|pod| pod.ips.is_empty() && !pod.host_network) {
                pod.ips.extend(stand_ins(last));
            }
        }
        let standing = match names {
            [None, None] => self.read.clone(),
            _ => self.supposed(names, &pods),
        };
        World {
            db: self.db,
            dialect: self.dialect,
            policies: self.policies.clone(),
            ends,
            mentions: self.mentions.clone(),
            pods,
            road: question.road.clone(),
            unowned: None,
            cluster: standing.cluster,
            peers: standing.peers,
            known: standing.bound,
        }
    }

    /// The cluster with addresses for pods that have none.
    fn supposed(&self, names: [Option<Name>; 2], pods: &[Option<Pod>; 2]) -> Standing {
        let mut known = self.supposed.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut cluster = (*self.read.cluster).clone();
            for pod in pods.iter().flatten().filter(|pod| names.contains(&Some(pod.name.clone()))) {
                cluster.pods.insert(pod.name.clone(), pod.clone());
            }
            let peers = PeerTable::build(&cluster, &self.mentions, self.dialect);
            Standing::new(Arc::new(cluster), Arc::new(peers))
        };
        known.entry(names.clone()).or_insert_with(make).clone()
    }

    fn rules(&self, standing: &Standing, class: &Class) -> Arc<Rules> {
        rules_of(standing, class, &self.policies, self.dialect)
    }
}

fn rules_of(standing: &Standing, class: &Class, policies: &[Arc<Policy>], dialect: &Dialect) -> Arc<Rules> {
    let known = || standing.bound.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rules) = known().get(class) {
        return rules.clone();
    }
    let policies = policies.iter().map(|policy| &**policy);
    let bound = hir::resolve::resolve(policies, class, &standing.peers, &standing.cluster.config, dialect);
    let (ingress, egress) = lower::lower(&bound);
    let rules = Arc::new(Rules { bound, sets: [ingress, egress] });
    known().insert(class.clone(), rules.clone());
    rules
}

/// A cluster that only records what policies deny lets everything pass; who asks wants to know what they say.
fn asked_in(cluster: Arc<Cluster>) -> Arc<Cluster> {
    match cluster.config.audit {
        false => cluster,
        true => {
            let mut asked = (*cluster).clone();
            asked.config.audit = false;
            Arc::new(asked)
        }
    }
}

/// Everything that both ends are decided with.
pub(crate) struct World<'db> {
    pub db: &'db dyn Db,
    pub dialect: &'db Dialect,
    pub cluster: Arc<Cluster>,
    pub peers: Arc<PeerTable>,
    pub policies: Arc<[Arc<Policy>]>,
    /// Source and destination, as they were named.
    pub ends: [Party; 2],
    mentions: Arc<Mentions>,
    /// The pods that stand for source and destination, where pods do.
    pub pods: [Option<Pod>; 2],
    known: Arc<Mutex<BTreeMap<Class, Arc<Rules>>>>,
    /// How the flow gets to its destination.
    pub road: Road,
    /// An address that is nobody's for certain.
    pub unowned: Option<IpAddr>,
}

impl<'db> World<'db> {
    /// The world of a question under any reading, with these policies only.
    pub fn under(
        db: &'db dyn Db,
        question: &Question,
        dialect: &'db Dialect,
        policies: Vec<Arc<Policy>>,
    ) -> World<'db> {
        let mut mentions = Mentions::default();
        policies.iter().for_each(|policy| mentions.extend(&Mentions::of(policy)));
        let cluster = asked_in(world::cluster(db));
        let peers = PeerTable::build(&cluster, &mentions, dialect);
        let read = Standing::new(cluster, Arc::new(peers));
        let (policies, mentions) = (policies.into(), Arc::new(mentions));
        Ground { db, dialect, policies, mentions, read, supposed: Mutex::default() }.world(question)
    }

    /// This world with something changed.
    pub fn but(&self, change: impl FnOnce(&mut Cluster, &mut [Option<Pod>; 2])) -> World<'db> {
        let (mut cluster, mut pods) = ((*self.cluster).clone(), self.pods.clone());
        change(&mut cluster, &mut pods);
        for pod in pods.iter().flatten() {
            if let Some(known) = cluster.pods.get_mut(&pod.name) {
                known.clone_from(pod);
            }
        }
        let peers = Arc::new(PeerTable::build(&cluster, &self.mentions, self.dialect));
        let (ends, mentions) = (self.ends.clone(), self.mentions.clone());
        World {
            db: self.db,
            dialect: self.dialect,
            cluster: Arc::new(cluster),
            peers,
            policies: self.policies.clone(),
            ends,
            mentions,
            pods,
            road: self.road.clone(),
            unowned: self.unowned,
            known: Arc::default(),
        }
    }

    /// This world with another party at an end.
    pub fn with(&self, end: usize, party: Party) -> World<'db> {
        let (mut ends, mut pods) = (self.ends.clone(), self.pods.clone());
        pods[end] = party::pod(&self.cluster, &party);
        ends[end] = party;
        World {
            db: self.db,
            dialect: self.dialect,
            cluster: self.cluster.clone(),
            peers: self.peers.clone(),
            policies: self.policies.clone(),
            ends,
            mentions: self.mentions.clone(),
            pods,
            road: self.road.clone(),
            unowned: self.unowned,
            known: self.known.clone(),
        }
    }

    /// Whether a service chose the destination.
    pub fn is_by_service(&self) -> bool {
        matches!(&self.road, Road::Service(translation) if translation.reached == Reached::Backend)
    }

    /// What holds for a class, bound once.
    pub fn rules(&self, class: &Class) -> Arc<Rules> {
        let (cluster, peers, bound) = (self.cluster.clone(), self.peers.clone(), self.known.clone());
        let rules = rules_of(&Standing { cluster, peers, bound }, class, &self.policies, self.dialect);
        if !self.reaches_itself_by_service() {
            return rules;
        }
        let bound = self.asked(rules.bound.clone());
        let (ingress, egress) = lower::lower(&bound);
        Arc::new(Rules { bound, sets: [ingress, egress] })
    }

    /// Whether the flow is one that a service sent back to the pod that opened it.
    fn reaches_itself_by_service(&self) -> bool {
        self.is_by_service() && matches!(&self.pods, [Some(a), Some(b)] if a.name == b.name)
    }

    /// What of a bound class is asked about the flow: of one that a service sent back to its own pod, not all of it.
    pub fn asked(&self, bound: Bound) -> Bound {
        if !self.reaches_itself_by_service() {
            return bound;
        }
        let of_itself = |direction| bound.direction(direction).of_itself(self.dialect);
        let (ingress, egress) = (of_itself(Direction::Ingress), of_itself(Direction::Egress));
        Bound { ingress, egress, conflicts: bound.conflicts }
    }

    /// Whether nothing tells if policies of this kind are read at all, which their agent has to be told to.
    pub fn hangs_on_settings(&self, policy: &Policy) -> bool {
        let unread = self.cluster.config.cluster_policies.is_none() && !self.dialect.admin_policies_enforced;
        unread && policy.object.kind == "ClusterNetworkPolicy"
    }

    /// Whether an address only stands in for one that a pod does not have yet, or that a record does not say.
    pub fn is_stand_in(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(four) => four.octets()[0] >= 240,
            IpAddr::V6(six) => six.segments()[..4] == [0x100, 0, 0, 0],
        }
    }
}

/// Addresses of both families that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn stand_ins(last: u8) -> [IpAddr; 2] {
    let six = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, u16::from(last));
    [IpAddr::V4(Ipv4Addr::new(240, 0, 0, last)), IpAddr::V6(six)]
}
