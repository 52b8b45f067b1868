//! The diagrams of an image, from the rules that it carries, checked with the oracle.

use crate::prove::Refusal;
use diagram::{Diagram, Limits};
use flow::{Direction, PeerId, Peers};
use image::Image;
use rules::RuleSet;
use std::collections::BTreeMap;

/// What the rules of an image mean: ingress, then egress.
///
/// The diagrams are built here and then asked, for one peer of every set of rules that name it and one key of every elementary cell, whether
/// they answer as the oracle does. Peers are counted up to the last that a rule names; all others are of the default class.
///
/// Errors: the directions whose rules are absent, do not read, are too large, or are not what the diagram says.
pub fn diagrams_of(image: &Image) -> Result<[Diagram; 2], Vec<Refusal>> {
    let [ingress, egress] = Direction::BOTH.map(|direction| of_direction(image, direction));
    match (ingress, egress) {
        (Ok(ingress), Ok(egress)) => Ok([ingress, egress]),
        (ingress, egress) => Err([ingress.err(), egress.err()].into_iter().flatten().collect()),
    }
}

fn of_direction(image: &Image, direction: Direction) -> Result<Diagram, Refusal> {
    let refuse = |why: String| Refusal::Rules { direction, why };
    let at = usize::from(direction == Direction::Egress);
    let text = image.notes.rules.get(at).ok_or_else(|| refuse("there are none".into()))?;
    let rules = RuleSet::parse(text).map_err(|error| refuse(error.to_string()))?;
    let diagram = diagram_of(&rules).map_err(|error| refuse(error.to_string()))?;
    match differs(&rules, &diagram) {
        None => Ok(diagram),
        Some((peer, key)) => {
            Err(refuse(format!("the diagram and the oracle disagree about peer {} and {key}", peer.0)))
        }
    }
}

fn diagram_of(rules: &RuleSet) -> Result<Diagram, diagram::TooLarge> {
    let last_of = |peers: &Peers| match peers {
        Peers::All => None,
        Peers::Of(set) => set.iter().last(),
    };
    let last = rules.rules().filter_map(|rule| last_of(&rule.peers)).max();
    diagram::build(rules, last.map_or(0, |peer| peer.0 + 1), &Limits::default())
}

/// A flow of an elementary cell that the diagram answers otherwise than the oracle.
fn differs(rules: &RuleSet, diagram: &Diagram) -> Option<(PeerId, flow::L4Key)> {
    let mut peers: BTreeMap<&[u32], PeerId> = BTreeMap::new();
    for peer in (0..=diagram.peers()).map(PeerId) {
        peers.entry(diagram.signature_of(peer)).or_insert(peer);
    }
    let cells = oracle::cells(rules);
    let mut flows = peers.into_values().flat_map(|peer| cells.iter().map(move |key| (peer, *key)));
    flows.find(|(peer, key)| oracle::decide(rules, *peer, *key).verdict != diagram.eval(*peer, *key))
}
