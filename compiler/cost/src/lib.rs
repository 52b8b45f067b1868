//! Says what policies cost an endpoint: identities that each rule selects, entries that they make, peers that a table holds.
//!
//! In: a `driver` database.  Out: [`ClassCost`], one a class of endpoints; [`RuleCost`], one a place in an object.
//!
//! # Picture
//! ```text
//!  rules of a class ─┬─ peers ─► identities ─┐
//!                    └─ ports ─► blocks ─────┴─► entries of a policy map, as Cilium's would hold them
//!  diagram of a class ─► peers outside the default class ─► entries of our class table
//! ```
//! # Does not know
//! Programs, bytes of images, budgets, words.
//! # Laws
//! An entry that two rules make is one entry of the class and counts for both rules (`tests/entries.rs`).
//! # Reading order
//! [`blocks`], then [`costs`].

use driver::meaning::{self, ClassKey};
use driver::{Database, shelf, world};
use flow::{L4Key, L4Set, PeerId, Peers, Protocol};
use hir::peers::PeerTable;
use hir::subject::{Class, Subject};
use rules::{Fallback, Origin, Rule, RuleSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries that a policy map of Cilium holds unless `bpf-policy-map-max` says otherwise.
pub const CILIUM_MAP: usize = 16_384;

/// What the policies of one class of endpoints cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassCost {
    /// The class.
    pub class: Class,
    /// Its endpoints.
    pub subjects: Vec<Subject>,
    /// Entries that a policy map of Cilium would need, both directions, each entry once.
    pub entries: usize,
    /// Peers that our class tables name, ingress and egress. `None` where the diagram is too large to be one.
    pub peers: Option<[usize; 2]>,
}

/// What one place in an object costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCost {
    /// Where it is written.
    pub origin: Origin,
    /// Identities that it selects, over all classes that it is about; one for a rule about everybody.
    pub identities: usize,
    /// Entries that it makes in the policy map of one endpoint, the greatest over the classes.
    pub entries: usize,
    /// Classes of endpoints that it is about.
    pub classes: usize,
    /// Endpoints of those.
    pub endpoints: usize,
}

/// Everything that a cluster's policies cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// In the order of the classes.
    pub classes: Vec<ClassCost>,
    /// Most entries first.
    pub rules: Vec<RuleCost>,
    /// Identities of endpoints, over the cluster.
    pub identities: usize,
}

/// An identity as Cilium tells them apart: labels inside the cluster, a prefix outside; `None` is everybody.
type Identity = Option<u32>;
/// One entry: direction, identity, first key of a block, its size.
type Entry = (usize, Identity, u32, u32);

/// What the policies of a database cost, class by class and rule by rule.
pub fn costs(db: &Database) -> Costs {
    let costing = Costing::of(db);
    let mut rules: BTreeMap<Origin, (BTreeSet<Identity>, usize, usize, usize)> = BTreeMap::new();
    let mut classes = Vec::new();
    for (class, subjects) in world::classes(db).iter() {
        db.stop().check();
        let (cost, of_rule) = costing.entries(class, subjects);
        for (origin, (selected, entries)) in of_rule {
            let cost = rules.entry(origin).or_default();
            cost.0.extend(selected);
            cost.1 = cost.1.max(entries);
            cost.2 += 1;
            cost.3 += subjects.len();
        }
        classes.push(cost);
    }
    let cost =
        |(origin, (identities, entries, classes, endpoints)): (Origin, (BTreeSet<Identity>, usize, usize, usize))| {
            RuleCost { origin, identities: identities.len(), entries, classes, endpoints }
        };
    let mut rules: Vec<RuleCost> = rules.into_iter().map(cost).collect();
    rules.sort_by(|a, b| (b.entries, b.identities, &a.origin).cmp(&(a.entries, a.identities, &b.origin)));
    Costs { classes, rules, identities: costing.identities.inside }
}

/// What questions about the cost of several classes share.
pub struct Costing<'db> {
    db: &'db Database,
    identities: Arc<Identities>,
}

/// By rule: whom it selects, and how many entries it makes.
type OfRule = BTreeMap<Origin, (BTreeSet<Identity>, usize)>;

impl<'db> Costing<'db> {
    /// That of a database.
    pub fn of(db: &'db Database) -> Costing<'db> {
        // Why kept: every peer is looked at.
        Costing { db, identities: shelf::of_policies(db).get(|| Identities::of(&world::peers(db))) }
    }

    /// What the policies of one class cost.
    pub fn class(&self, class: &Class, subjects: &[Subject]) -> ClassCost {
        self.entries(class, subjects).0
    }

    fn entries(&self, class: &Class, subjects: &[Subject]) -> (ClassCost, OfRule) {
        let key = ClassKey::new(self.db, class.clone());
        let sets = meaning::rule_sets(self.db, key);
        let mut all: BTreeSet<Entry> = BTreeSet::new();
        let mut of_rule: BTreeMap<&Origin, (BTreeSet<Identity>, BTreeSet<Entry>)> = BTreeMap::new();
        for (direction, set) in sets.iter().enumerate() {
            if matches!(set.fallback, Fallback::Allow) {
                // Where nothing isolates, one entry lets everything pass.
                all.insert((direction, None, 0, 1 << 24));
            }
            for rule in each(set) {
                let selected = self.identities.selected(&rule.peers);
                let blocks = blocks(&rule.l4);
                let entries =
                    || selected.iter().flat_map(|it| blocks.iter().map(move |(at, size)| (direction, *it, *at, *size)));
                all.extend(entries());
                if let Some(origin) = set.origin(rule.origin) {
                    let cost = of_rule.entry(origin).or_default();
                    cost.1.extend(entries());
                    cost.0.extend(selected.iter().copied());
                }
            }
        }
        let diagrams = meaning::diagrams(self.db, key).ok();
        let named = |diagram: &diagram::Diagram| diagram.class_of_each().filter(|it| it.0 != 0).count();
        let cost = ClassCost {
            class: class.clone(),
            subjects: subjects.to_vec(),
            entries: all.len(),
            peers: diagrams.map(|both| [named(&both[0]), named(&both[1])]),
        };
        let of_rule = of_rule.into_iter().map(|(origin, (selected, made))| (origin.clone(), (selected, made.len())));
        (cost, of_rule.collect())
    }
}

fn each(set: &RuleSet) -> impl Iterator<Item = &Rule> {
    set.tiers.iter().flat_map(|tier| &tier.levels).flat_map(|level| &level.rules)
}

/// Peers joined into identities: two peers of equal labels differ here by ports and prefixes only.
struct Identities {
    of_peer: Vec<u32>,
    inside: usize,
}

impl Identities {
    fn of(peers: &PeerTable) -> Identities {
        let mut known = BTreeMap::new();
        let mut of_peer = Vec::new();
        let mut inside = BTreeSet::new();
        for (_, info) in peers.peers() {
            let next = known.len() as u32;
            let number = *known.entry((info.key.labels.clone(), info.key.region)).or_insert(next);
            let special = info.key.labels.iter().all(|label| label.source == hir::Source::Reserved);
            if info.key.region.is_none() && !special {
                inside.insert(number);
            }
            of_peer.push(number);
        }
        Identities { of_peer, inside: inside.len() }
    }

    fn selected(&self, peers: &Peers) -> BTreeSet<Identity> {
        match peers {
            Peers::All => [None].into(),
            Peers::Of(set) => {
                set.iter().filter_map(|peer: PeerId| self.of_peer.get(peer.0 as usize)).map(|it| Some(*it)).collect()
            }
        }
    }
}

/// The blocks that a set of keys falls into, as a policy map holds them: everything, a protocol, or ports that share their first bits; of
/// ICMP one a type. First key and size.
pub fn blocks(set: &L4Set) -> Vec<(u32, u32)> {
    if set.is_all() {
        return vec![(0, 1 << 24)];
    }
    let mut out = Vec::new();
    for (low, high) in set.intervals() {
        let mut at = low.raw();
        while at <= high.raw() {
            let protocol = L4Key::from_raw(at).map_or(0, |key| key.protocol().0);
            let end = high.raw().min(at | 0xffff);
            let unit = if matches!(Protocol(protocol), Protocol::ICMP | Protocol::ICMPV6) { 256 } else { 1 };
            while at <= end {
                let mut size = 1;
                while at % (size * 2) == 0 && at + size * 2 - 1 <= end && size < 1 << 16 {
                    size *= 2;
                }
                // All codes of a type are one entry, and so are some of them.
                if unit == 256 && size < 256 {
                    size = (256 - at % 256).min(end - at + 1);
                }
                out.push((at, size));
                at += size;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fall_into_blocks_of_equal_first_bits() {
        assert_eq!(blocks(&L4Set::all()).len(), 1);
        assert_eq!(blocks(&L4Set::ports(Protocol::TCP, 80, 80)).len(), 1);
        assert_eq!(blocks(&Protocol::UDP.all_ports()), [(17 << 16, 1 << 16)]);
        // 1024-2047 is one block, 8080-8090 are 8080-8087, 8088-8089, 8090.
        assert_eq!(blocks(&L4Set::ports(Protocol::TCP, 1024, 2047)).len(), 1);
        let sizes: Vec<u32> = blocks(&L4Set::ports(Protocol::TCP, 8080, 8090)).iter().map(|it| it.1).collect();
        assert_eq!(sizes, [8, 2, 1]);
        assert_eq!(blocks(&L4Set::icmp_type(Protocol::ICMP, 8)).len(), 1);
    }
}
