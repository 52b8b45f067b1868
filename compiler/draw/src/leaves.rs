//! Who decides in each cell of a diagram.

use crate::Decision;
use diagram::ClassId;
use flow::{L4Key, PeerId, Peers, Verdict};
use rules::{OriginId, RuleSet};
use std::collections::{BTreeMap, BTreeSet};

/// One end of a tree: what happens, and everything that makes it so for some flow that ends there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf {
    /// What happens.
    pub verdict: Verdict,
    /// Into the origins of the rules, ascending.
    pub by: Vec<OriginId>,
}

/// The stretches of one class: first key, leaf. Ascending, the first from the least key.
pub(crate) type Stretches = Vec<(L4Key, Leaf)>;

/// The stretches of every class, by class.
///
/// Cost: kinds of peers, times keys between which nothing changes, times rules.
pub(crate) fn leaves(decision: &Decision<'_>) -> Vec<Stretches> {
    let cells = oracle::cells(decision.rules);
    let kinds = kinds(decision);
    let of_class = |(class, map): (u32, &diagram::L4Map)| {
        let kinds: Vec<PeerId> = kinds.iter().filter(|kind| kind.0 == ClassId(class)).map(|kind| kind.1).collect();
        map.ranges()
            .map(|(low, high, verdict)| {
                let first = cells.partition_point(|cell| *cell < low);
                let inside = cells[first..].iter().take_while(|cell| **cell <= high);
                let mut by = BTreeSet::new();
                for key in std::iter::once(&low).chain(inside) {
                    by.extend(kinds.iter().flat_map(|peer| oracle::decide(decision.rules, *peer, *key).by));
                }
                (low, Leaf { verdict, by: by.into_iter().collect() })
            })
            .collect()
    };
    (0..).zip(decision.diagram.maps()).map(of_class).collect()
}

/// One peer of every kind, with its class: peers that the same rules name are decided by the same rules.
fn kinds(decision: &Decision<'_>) -> BTreeSet<(ClassId, PeerId)> {
    let named = named_by(decision.rules);
    let mut known: BTreeMap<(ClassId, Vec<usize>), PeerId> = BTreeMap::new();
    // The first number beyond the universe stands for all of them.
    for peer in (0..=decision.diagram.peers()).map(PeerId) {
        let names = named.iter().enumerate().filter(|(_, peers)| peers.contains(peer)).map(|(at, _)| at).collect();
        known.entry((decision.diagram.class_of(peer), names)).or_insert(peer);
    }
    known.into_iter().map(|((class, _), peer)| (class, peer)).collect()
}

/// The distinct sets of peers that rules name.
fn named_by(rules: &RuleSet) -> Vec<&Peers> {
    let distinct: BTreeSet<&Peers> = rules.rules().map(|rule| &rule.peers).collect();
    distinct.into_iter().filter(|peers| **peers != Peers::All).collect()
}
