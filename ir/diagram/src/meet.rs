//! What two diagrams both allow, and one diagram seen through other peer numbers: the two parts of a change in steps.

use flow::{L4Key, PeerId, Verdict};
use rustc_hash::FxHashMap;
use std::hash::Hash;

use crate::diagram::{ClassId, Diagram, Signature, number};
use crate::map::L4Map;

/// The diagram that allows what both allow: where either denies it denies, else it says what `new` says.
///
/// It is what is enforced between two diagrams at hooks that cannot change at one moment. Signatures are those of both, joined.
/// Cost: the peers, plus the intervals of every pair of classes that occurs.
pub fn meet(old: &Diagram, new: &Diagram) -> Diagram {
    let mut pairs: FxHashMap<(ClassId, ClassId), u32> = FxHashMap::default();
    let mut maps = vec![both(old.l4(ClassId::DEFAULT), new.l4(ClassId::DEFAULT))];
    pairs.insert((ClassId::DEFAULT, ClassId::DEFAULT), 0);
    let places = |peer| (old.signature_place(peer), new.signature_place(peer));
    let (peers, groups) = grouped(old.peers().max(new.peers()), places);
    let groups = groups.into_iter().map(|peer| {
        let (a, b) = (old.class_of(peer), new.class_of(peer));
        let at = *pairs.entry((a, b)).or_insert_with(|| {
            maps.push(both(old.l4(a), new.l4(b)));
            maps.len() as u32 - 1
        });
        (joined(old.signature_of(peer), new.signature_of(peer)), at)
    });
    let groups = groups.collect();
    assemble(maps, groups, &peers)
}

impl Diagram {
    /// The same meaning over other peers: peer `p` of the result is what `of(p)` is here.
    pub fn renumber(&self, peers: u32, of: impl Fn(PeerId) -> PeerId) -> Diagram {
        let before: Vec<PeerId> = (0..peers).map(|peer| of(PeerId(peer))).collect();
        let (peers, groups) = grouped(peers, |peer| self.signature_place(before[peer.0 as usize]));
        let groups = groups.into_iter().map(|peer| {
            let before = before[peer.0 as usize];
            (self.signature_of(before).into(), self.class_of(before).0)
        });
        assemble(self.maps().to_vec(), groups.collect(), &peers)
    }
}

/// The group of each peer, and the first peer of each group: peers are of one group when they are the same to `what`.
fn grouped<T: Hash + Eq>(peers: u32, what: impl Fn(PeerId) -> T) -> (Vec<u32>, Vec<PeerId>) {
    let (mut known, mut first) = (FxHashMap::default(), Vec::new());
    let group = |peer| {
        *known.entry(what(PeerId(peer))).or_insert_with(|| {
            first.push(PeerId(peer));
            first.len() as u32 - 1
        })
    };
    let groups = (0..peers).map(group).collect();
    (groups, first)
}

/// Where either denies, a deny; else what the second says.
fn both(old: &L4Map, new: &L4Map) -> L4Map {
    let mut starts: Vec<L4Key> = old.intervals().iter().chain(new.intervals()).map(|(start, _)| *start).collect();
    starts.sort_unstable();
    starts.dedup();
    let verdict = |key| if old.eval(key).is_allowed() { new.eval(key) } else { Verdict::DENY };
    let joined = L4Map::from_intervals(starts.into_iter().map(|start| (start, verdict(start))));
    // Cannot fail: the starts ascend and begin with the least key, which begins both maps.
    joined.unwrap_or_else(|| L4Map::constant(Verdict::DENY))
}

/// One signature of two: the length of the first, then both; empty when both are.
fn joined(old: &[u32], new: &[u32]) -> Signature {
    if old.is_empty() && new.is_empty() {
        return Signature::default();
    }
    [old.len() as u32].iter().chain(old).chain(new).copied().collect()
}

/// The diagram in which each group of peers has a signature and one of the maps; the first map is the default's. Maps that nobody has are
/// dropped.
fn assemble(maps: Vec<L4Map>, groups: Vec<(Signature, u32)>, of_peer: &[u32]) -> Diagram {
    let mut known: FxHashMap<L4Map, u32> = FxHashMap::default();
    let mut found_of = vec![u32::MAX; maps.len()];
    for at in std::iter::once(0).chain(groups.iter().map(|(_, at)| *at)) {
        if found_of[at as usize] == u32::MAX {
            let next = known.len() as u32;
            found_of[at as usize] = *known.entry(maps[at as usize].clone()).or_insert(next);
        }
    }
    let (maps, class_of_found) = number(known, found_of[0]);
    let class = |at: u32| class_of_found[found_of[at as usize] as usize];
    let mut signatures: Vec<(Signature, ClassId)> = groups.iter().map(|(it, at)| (it.clone(), class(*at))).collect();
    signatures.push((Signature::default(), ClassId::DEFAULT));
    signatures.sort_unstable();
    signatures.dedup_by(|a, b| a.0 == b.0);
    let place = |it: &Signature| signatures.partition_point(|(known, _)| known < it) as u32;
    // One signature has one class: it tells the signatures, and so the classes, that it was joined of.
    let place_of: Vec<u32> = groups.iter().map(|(it, _)| place(it)).collect();
    let places: Vec<u32> = of_peer.iter().map(|group| place_of[*group as usize]).collect();
    Diagram::of_parts(places.len() as u32, maps, signatures.into(), (0..).zip(places))
}
