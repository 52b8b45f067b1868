//! Remote parties as dense numbers, and sets of them.

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
/// Shape: a bitmap without trailing zero words; may be empty. Equal sets are equal values.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerSet {
    words: Vec<u64>,
}

impl PeerSet {
    /// Adds a peer; says whether it was new.
    pub fn insert(&mut self, peer: PeerId) -> bool {
        let (word, bit) = (peer.0 as usize / 64, peer.0 % 64);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] >> bit & 1 == 0;
        self.words[word] |= 1 << bit;
        new
    }

    /// Whether the peer is in the set. Cost: constant.
    pub fn contains(&self, peer: PeerId) -> bool {
        self.words.get(peer.0 as usize / 64).is_some_and(|word| word >> (peer.0 % 64) & 1 == 1)
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
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|rest| *rest != 0)
                .map(move |rest| PeerId(at as u32 * 64 + rest.trailing_zeros()))
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

    fn zip(&self, other: &PeerSet, op: impl Fn(u64, u64) -> u64) -> PeerSet {
        let len = self.words.len().max(other.words.len());
        let word = |set: &PeerSet, at: usize| set.words.get(at).copied().unwrap_or(0);
        let mut words: Vec<u64> = (0..len).map(|at| op(word(self, at), word(other, at))).collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        PeerSet { words }
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
}
