//! Peer numbers of a node: given once, kept for good.

use flow::{Family, PeerId, Prefix};
use hir::peers::{PeerKey, PeerTable, UNMANAGED};
use image::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The numbers that a node's tables use. The database numbers peers anew whenever the cluster changes; a node must not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// By the digest of the peer's key, in hexadecimal, so that a journal can hold it.
    by_key: BTreeMap<String, u32>,
    next: u32,
    /// For how many changes in a row a known peer was absent.
    absent: BTreeMap<String, u8>,
    /// Numbers to give again, least first.
    free: BTreeSet<u32>,
    /// How often any of the above has changed since this process began.
    #[serde(skip)]
    changes: u64,
    /// What the last view made of the peers.
    #[serde(skip)]
    last: Arc<Numbering>,
}

/// After how many changes without its peer a number is given again. By then no address table of the last changes held it, and packets
/// that had looked it up are long done.
const ABSENT: u8 = 3;

/// Numbers of the database's table beside those of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    /// The node's number of each peer of the table, by the table's own numbers.
    pub to_node: Vec<u32>,
    /// The table's number of each of the node's; `None` for a peer that is gone.
    pub of_node: Vec<Option<PeerId>>,
    /// What makes each peer of the table. Nothing, where a journal tells of the numbers.
    keys: Vec<Arc<PeerKey>>,
}

/// One view of the peers: how they are numbered, and whose addresses are whose.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The numbers. Views in a row that number alike share them.
    pub numbering: Arc<Numbering>,
    /// Which prefix is whose, in the node's numbers, ascending.
    pub prefixes: Vec<(Prefix, u32)>,
}

impl Numbers {
    /// Numbers every peer of a table, new ones with numbers that nobody has, and looks at it from a node.
    pub fn view(&mut self, table: &PeerTable, node: &str) -> View {
        let numbering = self.number(table);
        let number = |peer: PeerId| numbering.to_node.get(peer.0 as usize).copied().unwrap_or(0);
        let prefixes = table.addresses(Some(node)).into_iter().map(|(prefix, peer)| (prefix, number(peer))).collect();
        View { numbering, prefixes }
    }

    /// The numbers of all peers of a table: those of before, when they are the very same peers.
    fn number(&mut self, table: &PeerTable) -> Arc<Numbering> {
        let fixed = UNMANAGED.0 + 1;
        self.next = self.next.max(fixed);
        if table.peers().map(|(_, info)| &info.key).eq(&self.last.keys) {
            return self.last.clone();
        }
        let (mut to_node, mut keys) = (Vec::new(), Vec::new());
        for (peer, info) in table.peers() {
            to_node.push(if peer.0 < fixed { peer.0 } else { self.give(&info.key) });
            keys.push(info.key.clone());
        }
        let mut of_node = vec![None; self.next as usize];
        for (peer, number) in to_node.iter().enumerate() {
            of_node[*number as usize] = Some(PeerId(peer as u32));
        }
        self.last = Arc::new(Numbering { to_node, of_node, keys });
        self.last.clone()
    }

    /// How often numbers have changed, or who is absent.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The number of a key, a new one if it has none.
    fn give(&mut self, key: &PeerKey) -> u32 {
        *self.by_key.entry(name_of(key)).or_insert_with(|| {
            self.changes += 1;
            self.free.pop_first().unwrap_or_else(|| {
                self.next += 1;
                self.next - 1
            })
        })
    }

    /// Takes numbers back from peers that have been absent for long enough. Called once for each change that was made, with every view that
    /// something enforced is still stated in.
    ///
    /// `wait` waits until nobody uses a number that he looked up before; where it cannot, no number is taken back. `true` when some were.
    pub fn retire(&mut self, views: &[Arc<View>], wait: impl FnOnce() -> bool) -> bool {
        let used = |number: u32| views.iter().any(|view| view.knows(number));
        let (by_key, before) = (&self.by_key, self.absent.len());
        self.absent.retain(|key, _| by_key.get(key).is_some_and(|number| !used(*number)));
        let gone = self.by_key.iter().filter(|(_, number)| !used(**number));
        let gone: Vec<(String, u32)> = gone.map(|(key, number)| (key.clone(), *number)).collect();
        self.changes += u64::from(before != self.absent.len() || !gone.is_empty());
        let mut over = Vec::new();
        for (key, number) in gone {
            let changes = self.absent.entry(key.clone()).or_default();
            *changes = (*changes + 1).min(ABSENT);
            if *changes == ABSENT {
                over.push((key, number));
            }
        }
        if over.is_empty() || !wait() {
            return false;
        }
        for (key, number) in over {
            self.absent.remove(&key);
            self.by_key.remove(&key);
            self.free.insert(number);
        }
        // Why: a view that was made and is nowhere enforced may know a peer by a number that was taken back.
        if self.last.to_node.iter().any(|number| self.free.contains(number)) {
            self.last = Arc::default();
        }
        true
    }
}

/// What a peer's key is called in a journal.
fn name_of(key: &PeerKey) -> String {
    Digest::of(format!("{key:?}").as_bytes()).to_string()
}

impl View {
    /// A view of an earlier process: which numbers were known, and whose prefixes were whose. Its peers are numbered as the node numbers
    /// them.
    pub fn restored(known: &BTreeSet<u32>, next: u32, mut prefixes: Vec<(Prefix, u32)>) -> View {
        prefixes.sort();
        let of_node = (0..next).map(|number| known.contains(&number).then_some(PeerId(number))).collect();
        View { numbering: Arc::new(Numbering { to_node: (0..next).collect(), of_node, keys: vec![] }), prefixes }
    }

    /// Whether another view in a row numbers the same peers alike. Addresses may be others'.
    pub fn numbers_as(&self, other: &View) -> bool {
        Arc::ptr_eq(&self.numbering, &other.numbering)
    }

    /// How many numbers have been given.
    pub fn len(&self) -> u32 {
        self.numbering.of_node.len() as u32
    }

    /// Whether no number has been given.
    pub fn is_empty(&self) -> bool {
        self.numbering.of_node.is_empty()
    }

    /// Whether a number is that of a peer of this view.
    pub fn knows(&self, number: u32) -> bool {
        self.numbering.of_node.get(number as usize).is_some_and(Option::is_some)
    }

    /// What a number of a later view was in this one: itself, if this view knew it; else whoever had its addresses.
    pub fn before(&self, later: &View, number: u32) -> u32 {
        if self.knows(number) {
            return number;
        }
        let mut was =
            later.prefixes.iter().filter(|(_, peer)| *peer == number).map(|(prefix, _)| self.covering(*prefix));
        let first = was.next().unwrap_or(0);
        // Why: addresses that meant different peers mean none of them now; `unknown` is what only unrestricted rules name.
        if was.all(|other| other == first) { first } else { 0 }
    }

    /// Whose prefix covers another: the longest one decides.
    fn covering(&self, prefix: Prefix) -> u32 {
        let lengths = (0..=prefix.len()).rev();
        let shorter = lengths.filter_map(|len| Prefix::new(prefix.addr(), len));
        let found = shorter.filter_map(|it| self.prefixes.binary_search_by(|(known, _)| known.cmp(&it)).ok());
        found.map(|at| self.prefixes[at].1).next().unwrap_or(match prefix.family() {
            Family::V4 => hir::peers::WORLD_V4.0,
            Family::V6 => hir::peers::WORLD_V6.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(of_node: &[Option<u32>], prefixes: &[(&str, u32)]) -> View {
        let mut prefixes: Vec<_> = prefixes.iter().map(|(it, n)| (Prefix::parse(it).unwrap(), *n)).collect();
        prefixes.sort();
        let of_node = of_node.iter().map(|it| it.map(PeerId)).collect();
        View { numbering: Arc::new(Numbering { of_node, ..Numbering::default() }), prefixes }
    }

    #[test]
    fn a_number_is_not_given_again_while_a_view_in_use_knows_it() {
        let mut numbers = Numbers { by_key: BTreeMap::from([("gone".to_owned(), 9)]), next: 10, ..Numbers::default() };
        let (now, kept) =
            (Arc::new(View::restored(&BTreeSet::new(), 10, vec![])), View::restored(&BTreeSet::from([9]), 10, vec![]));
        let kept = Arc::new(kept);
        for _ in 0..2 * ABSENT {
            numbers.retire(&[now.clone(), kept.clone()], || true);
        }
        assert!(numbers.free.is_empty());
        for _ in 0..2 * ABSENT {
            assert!(!numbers.retire(std::slice::from_ref(&now), || false), "nobody waited");
        }
        assert!(numbers.free.is_empty());
        assert!(numbers.retire(std::slice::from_ref(&now), || true));
        assert_eq!(numbers.free, BTreeSet::from([9]));
    }

    #[test]
    fn a_new_region_was_what_covered_it() {
        let old = view(&[Some(0), Some(1), Some(2)], &[("0.0.0.0/0", 0), ("203.0.113.0/24", 2)]);
        let new = view(
            &[Some(0), Some(1), Some(2), Some(3)],
            &[("0.0.0.0/0", 0), ("203.0.113.0/24", 2), ("203.0.113.7/32", 3)],
        );
        assert_eq!(old.before(&new, 3), 2);
        assert_eq!(old.before(&new, 2), 2);
    }

    #[test]
    fn a_region_that_goes_becomes_what_covers_it() {
        let old = view(&[Some(0), Some(1), Some(2)], &[("0.0.0.0/0", 0), ("203.0.113.7/32", 2)]);
        let new = view(&[Some(0), Some(1), None], &[("0.0.0.0/0", 0)]);
        assert_eq!(new.before(&old, 2), 0);
    }
}
