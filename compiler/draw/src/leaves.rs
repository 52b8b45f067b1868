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

/// Whom to ask who decides, and about what.
pub(crate) struct Asked<'a> {
    rules: &'a RuleSet,
    /// Keys between which no rule changes its mind, ascending.
    cells: Vec<L4Key>,
    /// One peer of every kind, with its class.
    kinds: BTreeSet<(ClassId, PeerId)>,
}

impl<'a> Asked<'a> {
    pub fn of(decision: &Decision<'a>) -> Asked<'a> {
        Asked { rules: decision.rules, cells: oracle::cells(decision.rules), kinds: kinds(decision) }
    }

    /// Everything that decides about some peer of a class and some key of these stretches, ascending.
    pub fn by(&self, class: ClassId, stretches: &[(L4Key, L4Key)]) -> Vec<OriginId> {
        let peers = self.kinds.range((class, PeerId(0))..=(class, PeerId(u32::MAX))).map(|kind| kind.1);
        let peers: Vec<PeerId> = peers.collect();
        let mut by = BTreeSet::new();
        for (low, high) in stretches {
            let first = self.cells.partition_point(|cell| cell < low);
            let inside = self.cells[first..].iter().take_while(|cell| *cell <= high);
            for key in std::iter::once(low).chain(inside) {
                by.extend(peers.iter().flat_map(|peer| oracle::decide(self.rules, *peer, *key).by));
            }
        }
        by.into_iter().collect()
    }
}

/// The stretches of every class, by class.
///
/// Cost: kinds of peers, times keys between which nothing changes, times rules.
pub(crate) fn leaves(decision: &Decision<'_>) -> Vec<Stretches> {
    let asked = Asked::of(decision);
    let of_class = |(class, map): (u32, &diagram::L4Map)| {
        let leaf = |(low, high, verdict)| (low, Leaf { verdict, by: asked.by(ClassId(class), &[(low, high)]) });
        map.ranges().map(leaf).collect()
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
