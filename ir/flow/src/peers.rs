//! Remote parties as dense numbers, and sets of them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// One remote party that rules can tell apart: a security identity, or a region of addresses.
///
/// Units: a dense, node-local number. What it stands for is kept by whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// A finite set of peers.
///
/// Shape: a bitmap of the stretch between its least and its greatest peer; may be empty. Equal sets are equal values. Most
/// sets of a large universe hold a few neighbours.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct PeerSet {
    /// How many words of zeros are left out in front; 0 when there are no words.
    skipped: u32,
    /// Neither the first nor the last is zero, except while a set is made.
    words: Vec<u64>,
}

impl PeerSet {
    /// Adds a peer; says whether it was new.
    pub fn insert(&mut self, peer: PeerId) -> bool {
        let (word, bit) = (peer.0 / 64, peer.0 % 64);
        if self.words.is_empty() {
            self.skipped = word;
        }
        if word < self.skipped {
            let more = (self.skipped - word) as usize;
            self.words.splice(0..0, std::iter::repeat_n(0, more));
            self.skipped = word;
        }
        let at = (word - self.skipped) as usize;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        let new = self.words[at] >> bit & 1 == 0;
        self.words[at] |= 1 << bit;
        new
    }

    /// Whether the peer is in the set. Cost: constant.
    pub fn contains(&self, peer: PeerId) -> bool {
        self.word(peer.0 / 64) >> (peer.0 % 64) & 1 == 1
    }

    /// Whether no peer is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many peers are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The peers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = PeerId> + '_ {
        (self.skipped..).zip(&self.words).flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|rest| *rest != 0)
                .map(move |rest| PeerId(at * 64 + rest.trailing_zeros()))
        })
    }

    /// The peers in either set.
    pub fn union(&self, other: &PeerSet) -> PeerSet {
        self.zip(other, |a, b| a | b)
    }

    /// The peers in both sets.
    pub fn intersect(&self, other: &PeerSet) -> PeerSet {
        self.zip(other, |a, b| a & b)
    }

    /// The peers of this set that are not in the other.
    pub fn difference(&self, other: &PeerSet) -> PeerSet {
        self.zip(other, |a, b| a & !b)
    }

    /// The word at a place of the whole bitmap.
    fn word(&self, at: u32) -> u64 {
        at.checked_sub(self.skipped).and_then(|at| self.words.get(at as usize)).copied().unwrap_or(0)
    }

    /// The place behind the last word.
    fn end(&self) -> u32 {
        self.skipped + self.words.len() as u32
    }

    fn zip(&self, other: &PeerSet, op: impl Fn(u64, u64) -> u64) -> PeerSet {
        let first = match (self.is_empty(), other.is_empty()) {
            (false, false) => self.skipped.min(other.skipped),
            (false, true) => self.skipped,
            (true, _) => other.skipped,
        };
        let all = (first..self.end().max(other.end())).map(|at| op(self.word(at), other.word(at)));
        let leading = all.clone().take_while(|word| *word == 0).count();
        let mut words: Vec<u64> = all.skip(leading).collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        let skipped = if words.is_empty() { 0 } else { first + leading as u32 };
        PeerSet { skipped, words }
    }
}

/// As of the whole bitmaps, word by word from the least peer.
impl Ord for PeerSet {
    fn cmp(&self, other: &PeerSet) -> Ordering {
        match (self.is_empty(), other.is_empty()) {
            // Whoever skips less has a word there that is not zero, where the other has zeros.
            (false, false) => other.skipped.cmp(&self.skipped).then_with(|| self.words.cmp(&other.words)),
            (mine, others) => others.cmp(&mine),
        }
    }
}

impl PartialOrd for PeerSet {
    fn partial_cmp(&self, other: &PeerSet) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromIterator<PeerId> for PeerSet {
    fn from_iter<T: IntoIterator<Item = PeerId>>(peers: T) -> PeerSet {
        let mut set = PeerSet::default();
        for peer in peers {
            set.insert(peer);
        }
        set
    }
}

impl fmt::Debug for PeerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The peers that a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peers {
    /// Every peer, those that have no number included: the rule does not restrict who is on the other side.
    All,
    /// Just these peers. Shared, because many rules use one selector.
    Of(Arc<PeerSet>),
}

impl Peers {
    /// Whether the rule speaks of this peer.
    pub fn contains(&self, peer: PeerId) -> bool {
        match self {
            Peers::All => true,
            Peers::Of(set) => set.contains(peer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(peers: &[u32]) -> PeerSet {
        peers.iter().map(|&p| PeerId(p)).collect()
    }

    #[test]
    fn a_set_iterates_what_was_inserted() {
        let peers: Vec<u32> = set(&[200, 3, 64, 63, 3]).iter().map(|p| p.0).collect();
        assert_eq!(peers, [3, 63, 64, 200]);
    }

    #[test]
    fn removing_the_greatest_peer_leaves_a_canonical_set() {
        assert_eq!(set(&[1, 500]).difference(&set(&[500])), set(&[1]));
        assert!(set(&[500]).intersect(&set(&[1])).is_empty());
    }

    #[test]
    fn removing_the_least_peer_leaves_a_canonical_set() {
        assert_eq!(set(&[1, 500]).difference(&set(&[1])), set(&[500]));
        assert_eq!(set(&[500, 1]), set(&[1, 500]));
        assert_eq!(set(&[500]).union(&set(&[1, 900])), set(&[1, 500, 900]));
        assert_eq!(set(&[500]).difference(&set(&[500])), PeerSet::default());
    }

    #[test]
    fn sets_are_ordered_as_their_whole_bitmaps() {
        let whole = |set: &PeerSet| -> Vec<u64> { (0..set.end()).map(|at| set.word(at)).collect() };
        let sets =
            [set(&[]), set(&[0]), set(&[1]), set(&[64]), set(&[65, 200]), set(&[64, 700]), set(&[700]), set(&[1, 700])];
        for (a, b) in sets.iter().flat_map(|a| sets.iter().map(move |b| (a, b))) {
            assert_eq!(a.cmp(b), whole(a).cmp(&whole(b)), "{a:?} {b:?}");
        }
    }
}
