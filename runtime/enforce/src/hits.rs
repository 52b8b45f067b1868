//! What the programs of a node counted, by what they decide: the stuff of a profile.

use crate::change::Enforcer;
use crate::state::ClassState;
use flow::Direction;
use image::Digest;
use std::collections::BTreeMap;

/// How often each cell of a decision was hit since its image was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// The direction.
    pub direction: Direction,
    /// What it means, as `verify::certificate::meaning` has it: the same for every way to decide it.
    pub meaning: Digest,
    /// Whose it is: `pod shop/db`.
    pub who: Vec<String>,
    /// Packets by the number of the cell, `column * classes + class`.
    pub hits: Vec<u64>,
}

impl Enforcer {
    /// The hits of every decision that is live. Shape: one each for a direction and a meaning, by these; none for a direction that decides
    /// nothing.
    pub fn hits(&self) -> Vec<Hits> {
        let mut all: BTreeMap<(Direction, Digest), Hits> = BTreeMap::new();
        let mut images: Vec<Digest> = Vec::new();
        let pods = self.live.iter().map(|(pod, live)| (format!("pod {pod}"), &live.state));
        let host = self.host.iter().map(|host| (format!("node {}", self.name), &host.state));
        for (who, state) in pods.chain(host) {
            // Endpoints of one image share its counters.
            let fresh = !images.contains(&state.loaded.digest());
            images.push(state.loaded.digest());
            for direction in Direction::BOTH {
                let Some(hits) = counted(state, direction) else { continue };
                let meaning = hits.meaning;
                let known = all
                    .entry((direction, meaning))
                    .or_insert_with(|| Hits { hits: vec![0; hits.hits.len()], ..hits.clone() });
                known.who.push(who.clone());
                if fresh {
                    known.hits.iter_mut().zip(&hits.hits).for_each(|(all, more)| *all = all.saturating_add(*more));
                }
            }
        }
        all.into_values().collect()
    }
}

/// The hits of one decision, nobody's yet.
fn counted(state: &ClassState, direction: Direction) -> Option<Hits> {
    let hits = state.loaded.read_cells(direction)?;
    let diagram = &state.diagrams[usize::from(direction == Direction::Egress)];
    Some(Hits { direction, meaning: verify::certificate::meaning(diagram), who: Vec::new(), hits })
}
