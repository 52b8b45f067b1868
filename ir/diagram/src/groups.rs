//! Peers that the same shapes apply to.

use rustc_hash::FxHashMap;

use crate::limits::{Limits, TooLarge};
use crate::shapes::Shapes;

/// Peers grouped by the set of shapes that name them.
pub(crate) struct Groups {
    /// Into `lists`, by peer.
    pub of_peer: Vec<u32>,
    /// Per group the shapes that name its peers and do not apply to everybody anyway, ascending. Distinct; the first is
    /// empty and also stands for the peers that nothing names.
    pub lists: Vec<Vec<u32>>,
}

impl Groups {
    /// Groups the peers `0..peers`.
    ///
    /// Errors: too many memberships. Cost: linear in the members of the distinct sets.
    pub fn of(shapes: &Shapes<'_>, peers: u32, limits: &Limits) -> Result<Groups, TooLarge> {
        let (part_of, parts) = refine(shapes, peers);
        let lists_of_parts = lists(shapes, &part_of, parts, limits)?;
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
        let of_peer = part_of.into_iter().map(|part| group_of[part as usize]).collect();
        Ok(Groups { of_peer, lists })
    }
}

/// Splits the peers by every set in turn; two peers stay together when no set tells them apart.
///
/// Returns the part of each peer and the number of part names (some may be unused).
fn refine(shapes: &Shapes<'_>, peers: u32) -> (Vec<u32>, usize) {
    let mut part_of = vec![0u32; peers as usize];
    let mut size = vec![peers];
    let mut free = Vec::new();
    // Per part: the last set that split it, and where the members of that set went.
    let mut split: Vec<(usize, u32)> = vec![(usize::MAX, 0)];
    for (at, (set, _)) in shapes.named.iter().enumerate() {
        for peer in set.iter().take_while(|peer| peer.0 < peers) {
            let from = part_of[peer.0 as usize] as usize;
            if split[from].0 != at {
                let fresh = free.pop().unwrap_or_else(|| {
                    size.push(0);
                    split.push((usize::MAX, 0));
                    size.len() as u32 - 1
                });
                split[from] = (at, fresh);
            }
            let to = split[from].1;
            part_of[peer.0 as usize] = to;
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
fn lists(shapes: &Shapes<'_>, part_of: &[u32], parts: usize, limits: &Limits) -> Result<Vec<Vec<u32>>, TooLarge> {
    let mut represents = vec![false; part_of.len()];
    let mut seen = vec![false; parts];
    for (peer, &part) in part_of.iter().enumerate() {
        represents[peer] = !std::mem::replace(&mut seen[part as usize], true);
    }
    let mut sets_of: Vec<Vec<u32>> = vec![Vec::new(); parts];
    let mut memberships = 0;
    for (at, (set, _)) in shapes.named.iter().enumerate() {
        for peer in set.iter().take_while(|peer| (peer.0 as usize) < part_of.len()) {
            if represents[peer.0 as usize] {
                sets_of[part_of[peer.0 as usize] as usize].push(at as u32);
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
