//! What changes between two diagrams, as boxes: some peers, a stretch of keys, the old verdict and the new one.

use std::fmt;

use flow::{L4Key, L4Set, PeerId, PeerSet, Verdict};
use rustc_hash::FxHashMap;

use crate::diagram::{ClassId, Diagram};
use crate::map::L4Map;

/// Peers that go from one class to one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The class in the old diagram.
    pub old: ClassId,
    /// The class in the new diagram.
    pub new: ClassId,
    /// The peers that have a number in either diagram; may be empty when `others` is true.
    pub peers: PeerSet,
    /// Whether the peers without a number are of this region too.
    pub others: bool,
}

/// One box: the peers of one region, the keys from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Into [`Difference::regions`].
    pub region: usize,
    /// The least key.
    pub low: L4Key,
    /// The greatest key.
    pub high: L4Key,
    /// The verdict in the old diagram.
    pub old: Verdict,
    /// The verdict in the new diagram; differs from `old`.
    pub new: Verdict,
}

/// Everything that changes.
///
/// Shape: regions ascending by classes, only those that hold a change; changes ascending by region and key, disjoint. Both are
/// empty exactly when the diagrams answer every flow alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Who is affected.
    pub regions: Vec<Region>,
    /// What changes for them.
    pub changes: Vec<Change>,
}

/// How many pairs of a numbered peer and a key change, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Boxes.
    pub boxes: usize,
    /// Numbered peers that anything changes for.
    pub peers: usize,
    /// Flows that were denied and are not any more.
    pub opened: u64,
    /// Flows that were not denied and now are.
    pub closed: u64,
    /// Flows that pass before and after, but not alike.
    pub altered: u64,
}

/// Compares two diagrams over the peers of both; where one knows fewer peers, the rest are in its default class.
///
/// Cost: the peers, plus the intervals of every pair of classes that occurs.
pub fn difference(old: &Diagram, new: &Diagram) -> Difference {
    let mut members: FxHashMap<(ClassId, ClassId), PeerSet> = FxHashMap::default();
    for peer in (0..old.peers().max(new.peers())).map(PeerId) {
        members.entry((old.class_of(peer), new.class_of(peer))).or_default().insert(peer);
    }
    let of_others = (ClassId::DEFAULT, ClassId::DEFAULT);
    members.entry(of_others).or_default();
    let mut pairs: Vec<_> = members.into_iter().collect();
    pairs.sort_unstable();
    let mut out = Difference::default();
    for (classes, peers) in pairs {
        let before = out.changes.len();
        out.compare(old, new, classes);
        if out.changes.len() > before {
            out.regions.push(Region { old: classes.0, new: classes.1, peers, others: classes == of_others });
        }
    }
    out
}

/// The keys in stretches on which neither of two maps changes its verdict: the first and the last key of each, the verdict of the one
/// map and that of the other. Ascending, and together every key.
pub fn stretches(old: &L4Map, new: &L4Map) -> Vec<(L4Key, L4Key, Verdict, Verdict)> {
    let mut olds = old.ranges().peekable();
    let mut news = new.ranges().peekable();
    let (mut out, mut low) = (Vec::new(), L4Key::MIN);
    while let (Some(&(_, old_high, old)), Some(&(_, new_high, new))) = (olds.peek(), news.peek()) {
        let high = old_high.min(new_high);
        out.push((low, high, old, new));
        olds.next_if(|(_, end, _)| *end == high);
        news.next_if(|(_, end, _)| *end == high);
        match L4Key::from_raw(high.raw() + 1) {
            Some(next) => low = next,
            None => break,
        }
    }
    out
}

impl Difference {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// One flow of a change: a peer (`None`: one without a number) and a key.
    ///
    /// Errors: `None` for a change of another difference.
    pub fn witness(&self, change: &Change) -> Option<(Option<PeerId>, L4Key)> {
        let region = self.regions.get(change.region)?;
        Some((region.peers.iter().next(), change.low))
    }

    /// How much changes. Peers without a number are in no count.
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = ChangeCounts {
            boxes: self.changes.len(),
            peers: self.regions.iter().map(|region| region.peers.len()).sum(),
            ..ChangeCounts::default()
        };
        for change in &self.changes {
            let peers = self.regions.get(change.region).map_or(0, |region| region.peers.len() as u64);
            let flows = peers * u64::from(change.high.raw() - change.low.raw() + 1);
            match (change.old.is_allowed(), change.new.is_allowed()) {
                (false, true) => counts.opened += flows,
                (true, false) => counts.closed += flows,
                _ => counts.altered += flows,
            }
        }
        counts
    }

    /// Adds the changes of one pair of classes, as of a region that is about to be added.
    fn compare(&mut self, old: &Diagram, new: &Diagram, (from, to): (ClassId, ClassId)) {
        let region = self.regions.len();
        // Neighbouring boxes never need joining: at every cut at least one of the two verdicts changes.
        let stretches = stretches(old.l4(from), new.l4(to)).into_iter().filter(|(.., old, new)| old != new);
        self.changes.extend(stretches.map(|(low, high, old, new)| Change { region, low, high, old, new }));
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l4 {}: {} -> {}", L4Set::interval(self.low, self.high), self.old, self.new)
    }
}

impl fmt::Display for Difference {
    /// One line a change, for example `peers {3,7-9} and others l4 tcp/80: deny -> allow`; nothing when nothing changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            if let Some(region) = self.regions.get(change.region) {
                let others = if region.others { " and others" } else { "" };
                writeln!(f, "peers {}{others} {change}", region.peers)?;
            }
        }
        Ok(())
    }
}
