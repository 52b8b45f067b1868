//! The canonical two-level form.

use std::fmt;

use flow::{L4Key, PeerId, PeerSet, Verdict};
use rules::RuleSet;
use rustc_hash::FxHashMap;

use crate::groups::Groups;
use crate::limits::{Limits, TooLarge};
use crate::map::L4Map;
use crate::shapes::Shapes;
use crate::sweep::Sweep;

/// Peers with one and the same L4 map.
///
/// Units: dense, from 0. 0 is the default class: the peers that no rule names, those without a number included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

impl ClassId {
    /// The class of peers that no rule names.
    pub const DEFAULT: ClassId = ClassId(0);
}

/// What tells a peer from others, in words that hold no peer number: the rules that name it.
///
/// Shape: numbers of rules, counted from 0 through all tiers and levels as they stand, ascending. Of rules of one level that
/// say the same of different peers only the first is listed, whomever that one names; rules that another extends to everybody
/// are left out. Empty for peers that no rule names. Authentication counts only in levels where a rule asks for it.
pub type Signature = Box<[u32]>;

/// What the rules of one subject and direction mean.
///
/// Equality is equality of meaning over the universe: the same number of peers, and for every peer (those beyond it
/// included) and key the same verdict. Classes after the default are numbered by their maps, so that the numbering follows
/// from the meaning alone: not from the order of rules, nor from the numbers of peers.
#[derive(Clone, Debug)]
pub struct Diagram {
    peers: u32,
    maps: Box<[L4Map]>,
    signatures: Box<[(Signature, ClassId)]>,
    /// Stretches of peers with one signature: the first peer, the place in `signatures`. Ascending from peer 0, neighbours differ.
    ///
    /// Most subjects tell a few of many thousands of peers apart, so that peers cost as little as what is said of them.
    runs: Box<[(u32, u32)]>,
}

/// How large a diagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Peers of the universe.
    pub peers: usize,
    /// Distinct signatures.
    pub signatures: usize,
    /// Distinct maps, the default's included.
    pub classes: usize,
    /// Intervals over all maps.
    pub intervals: usize,
}

/// Builds the diagram of `rules` over the peers `0..peers`.
///
/// Peers in no set, and all peers from `peers` on, are in the default class.
/// Errors: a limit would be exceeded. Cost: the members of distinct peer sets, plus n log n in the rule ends of each group of
/// peers that the same rules name.
pub fn build(rules: &RuleSet, peers: u32, limits: &Limits) -> Result<Diagram, TooLarge> {
    let shapes = Shapes::of(rules);
    let groups = Groups::of(&shapes, peers, limits)?;
    let mut sweep = Sweep::new(&shapes);
    let mut known: FxHashMap<L4Map, u32> = FxHashMap::default();
    let mut intervals = 0;
    let mut found_of = Vec::with_capacity(groups.lists.len());
    for list in &groups.lists {
        let map = sweep.run(list);
        let next = known.len() as u32;
        let len = map.intervals().len() as u64;
        let found = *known.entry(map).or_insert_with(|| {
            intervals += len;
            next
        });
        TooLarge::check("intervals", intervals, limits.intervals)?;
        found_of.push(found);
    }
    let (maps, class_of_found) = number(known, found_of[0]);
    let class_of_group: Vec<ClassId> = found_of.iter().map(|&found| class_of_found[found as usize]).collect();
    let signature = |list: &Vec<u32>| -> Signature {
        // First rules ascend with shapes: both are counted in the order of the rules.
        list.iter().map(|&shape| shapes.shapes[shape as usize].first_rule).collect()
    };
    let mut signatures: Vec<(Signature, ClassId, usize)> = groups
        .lists
        .iter()
        .zip(&class_of_group)
        .zip(0..)
        .map(|((list, class), at)| (signature(list), *class, at))
        .collect();
    signatures.sort_unstable();
    let mut place_of_group = vec![0; signatures.len()];
    for (place, (.., group)) in (0..).zip(&signatures) {
        place_of_group[*group] = place;
    }
    let signatures = signatures.into_iter().map(|(signature, class, _)| (signature, class)).collect();
    let places = groups.of_named.iter().map(|&(peer, group)| (peer, place_of_group[group as usize]));
    Ok(Diagram::of_parts(peers, maps, signatures, places))
}

/// Numbers the maps: the default first, the others by their content.
pub(crate) fn number(known: FxHashMap<L4Map, u32>, default: u32) -> (Box<[L4Map]>, Vec<ClassId>) {
    let mut maps: Vec<(L4Map, u32)> = known.into_iter().collect();
    maps.sort_unstable_by(|(a, found_a), (b, found_b)| {
        (*found_a != default).cmp(&(*found_b != default)).then_with(|| a.cmp(b))
    });
    let mut class_of_found = vec![ClassId::DEFAULT; maps.len()];
    for (class, (_, found)) in maps.iter().enumerate() {
        class_of_found[*found as usize] = ClassId(class as u32);
    }
    (maps.into_iter().map(|(map, _)| map).collect(), class_of_found)
}

impl Diagram {
    /// A diagram of parts that keep its promises: numbered maps, ascending signatures, the empty one among them. `places` says of
    /// peers, ascending, where their signature stands; that of all others is the empty one.
    pub(crate) fn of_parts(
        peers: u32,
        maps: Box<[L4Map]>,
        signatures: Box<[(Signature, ClassId)]>,
        places: impl Iterator<Item = (u32, u32)>,
    ) -> Diagram {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut next = 0;
        let mut add = |peer: u32, place: u32| {
            if runs.last().is_none_or(|(_, last)| *last != place) {
                runs.push((peer, place));
            }
        };
        for (peer, place) in places {
            if peer > next {
                // The empty signature is the least.
                add(next, 0);
            }
            add(peer, place);
            next = peer + 1;
        }
        if next < peers {
            add(next, 0);
        }
        Diagram { peers, maps, signatures, runs: runs.into() }
    }

    /// How many peers have a number.
    pub fn peers(&self) -> u32 {
        self.peers
    }

    /// The class of a peer; the default class for peers beyond the universe. Cost: logarithmic in the stretches of peers.
    pub fn class_of(&self, peer: PeerId) -> ClassId {
        self.class_at(self.place_of(peer))
    }

    fn class_at(&self, place: u32) -> ClassId {
        self.signatures.get(place as usize).map_or(ClassId::DEFAULT, |(_, class)| *class)
    }

    /// Where the signature of a peer stands; the place of the empty one for peers beyond the universe.
    fn place_of(&self, peer: PeerId) -> u32 {
        if peer.0 >= self.peers {
            return 0;
        }
        let after = self.runs.partition_point(|(first, _)| *first <= peer.0);
        after.checked_sub(1).and_then(|at| self.runs.get(at)).map_or(0, |(_, place)| *place)
    }

    /// The class of every peer, ascending.
    pub fn class_of_each(&self) -> impl Iterator<Item = ClassId> + '_ {
        let ends = self.runs.iter().skip(1).map(|(first, _)| *first).chain([self.peers]);
        let run = |(&(first, place), end): (&(u32, u32), u32)| {
            std::iter::repeat_n(self.class_at(place), (end - first) as usize)
        };
        self.runs.iter().zip(ends).flat_map(run)
    }

    /// Stretches of peers with one class, ascending from peer 0; neighbours differ.
    fn class_runs(&self) -> impl Iterator<Item = (u32, ClassId)> + '_ {
        let mut last = None;
        let runs = self.runs.iter().map(|&(first, place)| (first, self.class_at(place)));
        runs.filter(move |(_, class)| last.replace(*class) != Some(*class))
    }

    /// How many classes there are; at least 1, the default.
    pub fn classes(&self) -> usize {
        self.maps.len()
    }

    /// The map of a class.
    ///
    /// Errors: a class of another diagram may answer with the default's map.
    pub fn l4(&self, class: ClassId) -> &L4Map {
        self.maps.get(class.0 as usize).unwrap_or(&self.maps[0])
    }

    /// The maps by class.
    pub fn maps(&self) -> &[L4Map] {
        &self.maps
    }

    /// The verdict of one flow.
    pub fn eval(&self, peer: PeerId, key: L4Key) -> Verdict {
        self.l4(self.class_of(peer)).eval(key)
    }

    /// Whether every flow has the same verdict, whoever the peer is.
    pub fn is_constant(&self) -> bool {
        matches!(&*self.maps, [map] if map.as_constant().is_some())
    }

    /// The class of every signature that a peer of the universe has, and of the empty one.
    ///
    /// Shape: ascending by signature, distinct signatures; several may share a class.
    pub fn signatures(&self) -> &[(Signature, ClassId)] {
        &self.signatures
    }

    /// The signature of a peer; empty for peers beyond the universe.
    pub fn signature_of(&self, peer: PeerId) -> &[u32] {
        // Cannot miss: the first signature is the empty one, and every peer's place is one of the list.
        &self.signatures[self.place_of(peer) as usize].0
    }

    /// Where the signature of a peer stands in [`Diagram::signatures`]: peers with equal places are named by the same rules.
    pub fn signature_place(&self, peer: PeerId) -> u32 {
        self.place_of(peer)
    }

    /// The least signature of a class; `None` for a class of another diagram.
    pub fn signature(&self, class: ClassId) -> Option<&[u32]> {
        self.signatures.iter().find(|(_, of)| *of == class).map(|(signature, _)| &**signature)
    }

    /// How large the diagram is.
    pub fn counts(&self) -> Counts {
        Counts {
            peers: self.peers as usize,
            signatures: self.signatures.len(),
            classes: self.maps.len(),
            intervals: self.maps.iter().map(|map| map.intervals().len()).sum(),
        }
    }
}

impl fmt::Display for Diagram {
    /// One line a class, for example `class 1 {3,7-9}: deny, tcp/80: allow, tcp/81: deny`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members = vec![PeerSet::default(); self.maps.len()];
        for (peer, class) in (0..).zip(self.class_of_each()) {
            members[class.0 as usize].insert(PeerId(peer));
        }
        for (class, (map, members)) in self.maps.iter().zip(members).enumerate() {
            let others = if class == 0 { " and others" } else { "" };
            writeln!(f, "class {class} {members}{others}: {map}")?;
        }
        Ok(())
    }
}

// Why by hand: signatures describe how the rules were written, which is no part of the meaning.
impl PartialEq for Diagram {
    fn eq(&self, other: &Diagram) -> bool {
        self.peers == other.peers && self.maps == other.maps && self.class_runs().eq(other.class_runs())
    }
}

impl Eq for Diagram {}
