//! What the oracle expects of a question.

use crate::pairs::Question;
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, world};
use facts::{Cluster, Name};
use flow::{Direction, L4Key, PeerId};
use hir::peers::PeerTable;
use hir::subject;
use lab::topology::Plan;
use lab::{End, Place};
use oracle::Decision;
use rules::{Origin, RuleSet};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Of nodes whose policies are enforced, with the addresses that make a packet theirs.
    hosts: BTreeMap<String, (BTreeSet<IpAddr>, Arc<[RuleSet; 2]>)>,
    audit: bool,
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
        let hosts = cluster.nodes.values().filter_map(|node| {
            let key = enforce::host::class(db, &node.name)?;
            Some((node.name.clone(), (node.ips.clone(), meaning::rule_sets(db, key))))
        });
        let (hosts, audit) = (hosts.collect(), cluster.config.audit);
        Judge { peers, rules, hosts, audit }
    }

    /// What one question should come to.
    pub fn expect(&self, plan: &Plan, question: &Question) -> Expected {
        let (from, to) = (question.probe.from, question.probe.to);
        if from.place == to.place {
            return Expected { reached: true, denied_by: None };
        }
        let egress = self.side(plan, from, Direction::Egress, to.address, question.key);
        let denied_by = egress.or_else(|| self.side(plan, to, Direction::Ingress, from.address, question.key));
        Expected { reached: denied_by.is_none(), denied_by }
    }

    fn side(&self, plan: &Plan, end: End, direction: Direction, other: IpAddr, key: L4Key) -> Option<Side> {
        let place = end.place;
        let (node, rules) = match place {
            Place::Pod(_) => {
                let (namespace, name) = plan.name(place).split_once('/')?;
                let (node, rules) = self.rules.get(&Name::new(namespace, name))?;
                (node.as_deref(), rules)
            }
            Place::Node(_) => {
                // What a node says under an address that the cluster does not know is forwarded, for all that its programs can tell.
                let (_, rules) = self.hosts.get(plan.name(place)).filter(|(own, _)| own.contains(&end.address))?;
                (Some(plan.name(place)), rules)
            }
            Place::World => return None,
        };
        let rules = &rules[meaning::slot(direction)];
        let peer = self.peers.lookup(node, other);
        let decision = oracle::decide(rules, peer, key);
        let by = decision.by.iter().filter_map(|id| rules.origin(*id).cloned()).collect();
        // A redirect passes nothing until its listener is attached, and a lab attaches none.
        let passes = passes(&decision) || self.audit && decision.verdict.action == flow::Action::Deny;
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
