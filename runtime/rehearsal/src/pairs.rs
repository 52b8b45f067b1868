//! Which questions are asked in a lab.

use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use flow::{Family, L4Key, Protocol};
use lab::topology::Plan;
use lab::{Place, Probe};
use std::collections::BTreeSet;

/// How many pods' pairs are asked in full; above it pairs are sampled.
pub const PODS_IN_FULL: usize = 50;
/// How many pairs a sample has.
const SAMPLED_PAIRS: usize = 2500;
/// A port that nothing mentions, so that "everything else" is asked too: the discard service.
const UNMENTIONED: u16 = 9;
/// How many ports are asked of a pair at most.
const PORTS: usize = 24;

/// One question and its key for policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What the lab asks.
    pub probe: Probe,
    /// What policies are asked.
    pub key: L4Key,
}

/// How pairs were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Every pair.
    All,
    /// Some, by this seed.
    Seeded(u64),
}

/// Every pair of places with every port that policies or pods mention, in both families; above [`PODS_IN_FULL`] pods a sample of pairs.
pub fn questions(db: &Database, plan: &Plan, seed: u64) -> (Vec<Question>, Sample) {
    let places = plan.places();
    let hosts = world::cluster(db).config.host_firewall;
    let mut pairs: Vec<(Place, Place)> = places
        .iter()
        .flat_map(|from| places.iter().map(move |to| (*from, *to)))
        .filter(|pair| asked(*pair, hosts))
        .collect();
    let mut sample = Sample::All;
    if plan.pods().len() > PODS_IN_FULL {
        sample = Sample::Seeded(seed);
        pairs = sampled(pairs, seed);
    }
    let ports = ports(db);
    let mut questions = Vec::new();
    for (from, to) in pairs {
        for family in [Family::V4, Family::V6] {
            let echo = match family {
                Family::V4 => L4Key::icmp(Protocol::ICMP, 8, 0),
                Family::V6 => L4Key::icmp(Protocol::ICMPV6, 128, 0),
            };
            let keyed = ports.iter().map(|(protocol, port)| match *protocol {
                Protocol::UDP => (lab::Protocol::Udp(*port), L4Key::new(Protocol::UDP, *port)),
                _ => (lab::Protocol::Tcp(*port), L4Key::new(Protocol::TCP, *port)),
            });
            for (protocol, key) in keyed.chain([(lab::Protocol::Echo, echo)]) {
                questions.extend(Probe::new(plan, from, to, family, protocol).map(|probe| Question { probe, key }));
            }
        }
    }
    (questions, sample)
}

/// A pair tells something about somebody's policy: nodes and the outside among themselves do not, unless nodes have policies.
fn asked((from, to): (Place, Place), hosts: bool) -> bool {
    let has_policy = |place| matches!(place, Place::Pod(_)) || hosts && matches!(place, Place::Node(_));
    has_policy(from) || has_policy(to)
}

/// Some pairs, the same ones for the same seed: those whose mixed index is least.
fn sampled(pairs: Vec<(Place, Place)>, seed: u64) -> Vec<(Place, Place)> {
    let mut ranked: Vec<(u64, usize)> = (0..pairs.len()).map(|at| (mixed(seed ^ at as u64), at)).collect();
    ranked.sort_unstable();
    let mut kept: Vec<usize> = ranked.into_iter().take(SAMPLED_PAIRS).map(|(_, at)| at).collect();
    kept.sort_unstable();
    kept.into_iter().map(|at| pairs[at]).collect()
}

/// A bijective mix of 64 bits. Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// TCP and UDP ports that pods name, and the first of each range that rules mention; and one that nothing mentions.
fn ports(db: &Database) -> BTreeSet<(Protocol, u16)> {
    let cluster = world::cluster(db);
    let mut ports: BTreeSet<(Protocol, u16)> = BTreeSet::new();
    for pod in cluster.pods.values() {
        ports.extend(pod.ports.iter().map(|port| (port.protocol, port.port)));
    }
    for class in world::classes(db).keys() {
        for rules in meaning::rule_sets(db, ClassKey::new(db, class.clone())).iter() {
            let intervals = rules.rules().flat_map(|rule| rule.l4.intervals().to_vec());
            ports.extend(intervals.map(|(low, _)| (low.protocol(), low.low())));
        }
    }
    ports.retain(|(protocol, port)| matches!(*protocol, Protocol::TCP | Protocol::UDP) && *port != 0);
    let mut ports: BTreeSet<(Protocol, u16)> = ports.into_iter().take(PORTS).collect();
    ports.extend([(Protocol::TCP, UNMENTIONED), (Protocol::UDP, UNMENTIONED)]);
    ports
}
