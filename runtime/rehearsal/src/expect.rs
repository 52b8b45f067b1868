//! What the oracle expects of a question.

use crate::pairs::Question;
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, world};
use facts::{Cluster, Name};
use flow::{Direction, L4Key, PeerId};
use hir::peers::PeerTable;
use hir::subject;
use lab::Place;
use lab::topology::Plan;
use oracle::Decision;
use rules::{Origin, RuleSet};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What is expected of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether the answer comes back.
    pub reached: bool,
    /// Who denies it, when it does not: the first end that does.
    pub denied_by: Option<Side>,
}

/// One end that denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Whose policy.
    pub subject: String,
    /// Which way.
    pub direction: Direction,
    /// What denies, or what isolates the subject.
    pub by: Vec<Origin>,
}

/// The oracle with everything it needs, for many questions.
pub struct Judge {
    peers: Arc<PeerTable>,
    rules: BTreeMap<Name, (Option<String>, Arc<[RuleSet; 2]>)>,
}

impl Judge {
    /// Reads the rules of every pod.
    pub fn new(db: &Database) -> Judge {
        let (cluster, peers) = (world::cluster(db), world::peers(db));
        let rules = cluster.pods.values().filter_map(|pod| {
            let class = subject::class_of_pod(pod, &cluster, &peers, db.project().dialect(db))?;
            let rules = meaning::rule_sets(db, ClassKey::new(db, class));
            Some((pod.name.clone(), (node_of(&cluster, &pod.name), rules)))
        });
        let rules = rules.collect();
        Judge { peers, rules }
    }

    /// What one question should come to.
    pub fn expect(&self, plan: &Plan, question: &Question) -> Expected {
        let (from, to) = (question.probe.from, question.probe.to);
        if from.place == to.place {
            return Expected { reached: true, denied_by: None };
        }
        let egress = self.side(plan, from.place, Direction::Egress, to.address, question.key);
        let denied_by = egress.or_else(|| self.side(plan, to.place, Direction::Ingress, from.address, question.key));
        Expected { reached: denied_by.is_none(), denied_by }
    }

    fn side(&self, plan: &Plan, place: Place, direction: Direction, other: IpAddr, key: L4Key) -> Option<Side> {
        let Place::Pod(_) = place else { return None };
        let (namespace, name) = plan.name(place).split_once('/')?;
        let (node, rules) = self.rules.get(&Name::new(namespace, name))?;
        let rules = &rules[meaning::slot(direction)];
        let peer = self.peers.lookup(node.as_deref(), other);
        let decision = oracle::decide(rules, peer, key);
        let by = decision.by.iter().filter_map(|id| rules.origin(*id).cloned()).collect();
        // A redirect passes nothing until its listener is attached, and a lab attaches none.
        let passes = passes(&decision);
        (!passes).then(|| Side { subject: plan.name(place).to_owned(), direction, by })
    }

    /// What a peer is called.
    pub fn peer_name(&self, peer: PeerId) -> String {
        self.peers.name(peer)
    }
}

fn passes(decision: &Decision) -> bool {
    decision.verdict == flow::Verdict::ALLOW
}

fn node_of(cluster: &Cluster, pod: &Name) -> Option<String> {
    cluster.pods.get(pod).and_then(|pod| pod.node.clone())
}
