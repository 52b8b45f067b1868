//! Peers that the same shapes apply to.

use flow::{PeerId, PeerSet};
use rustc_hash::FxHashMap;

use crate::limits::{Limits, TooLarge};
use crate::shapes::Shapes;

/// Peers grouped by the set of shapes that name them.
pub(crate) struct Groups {
    /// The peers that some set names, ascending, each with its place in `lists`.
    pub of_named: Vec<(u32, u32)>,
    /// Per group the shapes that name its peers and do not apply to everybody anyway, ascending. Distinct; the first is
    /// empty and also stands for the peers that nothing names.
    pub lists: Vec<Vec<u32>>,
}

impl Groups {
    /// Groups the peers `0..peers`.
    ///
    /// Errors: too many memberships. Cost: linear in the members of the distinct sets.
    pub fn of(shapes: &Shapes<'_>, peers: u32, limits: &Limits) -> Result<Groups, TooLarge> {
        let named = Named::of(shapes, peers);
        let (part_of, parts) = refine(shapes, &named);
        let lists_of_parts = lists(shapes, &named, &part_of, parts, limits)?;
        let mut lists = vec![Vec::new()];
        let mut known = FxHashMap::from_iter([(Vec::new(), 0u32)]);
        let group_of: Vec<u32> = lists_of_parts
            .into_iter()
            .map(|list| {
                *known.entry(list).or_insert_with_key(|list| {
                    lists.push(list.clone());
                    lists.len() as u32 - 1
                })
            })
            .collect();
        let of_named = named.peers().zip(part_of).map(|(peer, part)| (peer, group_of[part as usize])).collect();
        Ok(Groups { of_named, lists })
    }
}

/// The peers that some set names, counted: all else costs no more than they do, however many peers there are.
struct Named {
    /// How many peers there are.
    limit: u32,
    /// One bit a peer.
    words: Vec<u64>,
    /// How many named peers are in front of each word.
    before: Vec<u32>,
    count: u32,
}

impl Named {
    fn of(shapes: &Shapes<'_>, limit: u32) -> Named {
        let mut words = vec![0u64; limit.div_ceil(64) as usize];
        for peer in shapes.named.iter().flat_map(|(set, _)| set.iter().take_while(|peer| peer.0 < limit)) {
            words[peer.0 as usize / 64] |= 1 << (peer.0 % 64);
        }
        let mut count = 0;
        let mut before = Vec::with_capacity(words.len());
        for word in &words {
            before.push(count);
            count += word.count_ones();
        }
        Named { limit, words, before, count }
    }

    /// The peers, ascending.
    fn peers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.words).flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|rest| *rest != 0)
                .map(move |rest| at * 64 + rest.trailing_zeros())
        })
    }

    /// The members of a set by their places among the named peers, ascending.
    fn places<'s>(&'s self, set: &'s PeerSet) -> impl Iterator<Item = usize> + 's {
        set.iter().take_while(|peer| peer.0 < self.limit).map(|PeerId(peer)| {
            let word = peer as usize / 64;
            let lower = self.words[word] & ((1 << (peer % 64)) - 1);
            (self.before[word] + lower.count_ones()) as usize
        })
    }
}

/// Splits the peers by every set in turn; two peers stay together when no set tells them apart.
///
/// Returns the part of each named peer and the number of part names (some may be unused).
fn refine(shapes: &Shapes<'_>, named: &Named) -> (Vec<u32>, usize) {
    let mut part_of = vec![0u32; named.count as usize];
    let mut size = vec![named.count];
    let mut free = Vec::new();
    // Per part: the last set that split it, and where the members of that set went.
    let mut split: Vec<(usize, u32)> = vec![(usize::MAX, 0)];
    for (at, (set, _)) in shapes.named.iter().enumerate() {
        for peer in named.places(set) {
            let from = part_of[peer] as usize;
            if split[from].0 != at {
                let fresh = free.pop().unwrap_or_else(|| {
                    size.push(0);
                    split.push((usize::MAX, 0));
                    size.len() as u32 - 1
                });
                split[from] = (at, fresh);
            }
            let to = split[from].1;
            part_of[peer] = to;
            size[to as usize] += 1;
            size[from] -= 1;
            // An emptied name may be given again, even while this set is split: its peers have all moved on.
            if size[from] == 0 {
                free.push(from as u32);
            }
        }
    }
    (part_of, size.len())
}

/// The shapes of one representative of each part, ascending, without those of everybody.
fn lists(
    shapes: &Shapes<'_>,
    named: &Named,
    part_of: &[u32],
    parts: usize,
    limits: &Limits,
) -> Result<Vec<Vec<u32>>, TooLarge> {
    let mut represents = vec![false; part_of.len()];
    let mut seen = vec![false; parts];
    for (peer, &part) in part_of.iter().enumerate() {
        represents[peer] = !std::mem::replace(&mut seen[part as usize], true);
    }
    let mut sets_of: Vec<Vec<u32>> = vec![Vec::new(); parts];
    let mut memberships = 0;
    for (at, (set, _)) in shapes.named.iter().enumerate() {
        for peer in named.places(set) {
            if represents[peer] {
                sets_of[part_of[peer] as usize].push(at as u32);
                memberships += 1;
            }
        }
        TooLarge::check("memberships", memberships, limits.memberships)?;
    }
    let mut taken_by = vec![usize::MAX; shapes.shapes.len()];
    let mut everybody = vec![false; shapes.shapes.len()];
    for &shape in &shapes.everybody {
        everybody[shape as usize] = true;
    }
    let list = |(part, sets): (usize, Vec<u32>)| {
        let mut list = Vec::new();
        for &shape in sets.iter().flat_map(|&set| &shapes.named[set as usize].1) {
            let at = shape as usize;
            if !everybody[at] && std::mem::replace(&mut taken_by[at], part) != part {
                list.push(shape);
            }
        }
        list.sort_unstable();
        list
    };
    Ok(sets_of.into_iter().enumerate().map(list).collect())
}
