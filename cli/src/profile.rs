//! A profile as a file: how often each cell of a decision was hit, by what the decision means.
//!
//! Whoever runs the programs writes one: `lab run` does, and any program with `enforce::Enforcer::hits`. `build` lays decisions out by it.

use crate::report::API_VERSION;
use diag::Diagnostic;
use diagram::Diagram;
use enforce::Hits;
use flow::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What kind of object it is.
const KIND: &str = "Profile";

/// How often decisions led where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileFile {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: String,
    /// Always `Profile`.
    pub kind: String,
    /// In any order; hits of one decision that stand in several add up.
    pub decisions: Vec<DecisionHits>,
}

/// The hits of one decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionHits {
    /// `ingress` or `egress`.
    pub direction: String,
    /// The digest of what the decision means, as in its certificate: 64 hexadecimal digits.
    pub meaning: String,
    /// Whose it is, for people: `pod shop/db`.
    #[serde(default)]
    pub who: Vec<String>,
    /// Packets by the number of the cell: `column * classes + class`.
    pub hits: Vec<u64>,
}

/// A decision by its direction and meaning.
type Decision = (&'static str, String);

/// What was read of a profile.
pub struct Profile {
    path: String,
    decisions: Vec<DecisionHits>,
}

impl ProfileFile {
    /// The profile of what nodes counted.
    pub fn of(hits: impl IntoIterator<Item = Hits>) -> ProfileFile {
        let decision = |it: Hits| DecisionHits {
            direction: name(it.direction).into(),
            meaning: it.meaning.to_string(),
            who: it.who,
            hits: it.hits,
        };
        let decisions = hits.into_iter().map(decision).collect();
        ProfileFile { api_version: API_VERSION.into(), kind: KIND.into(), decisions }
    }
}

impl Profile {
    /// Reads a file. Errors: one diagnostic, which says what is wrong with it.
    pub fn read(path: &Path) -> Result<Profile, Box<Diagnostic>> {
        let name = path.display().to_string();
        let unreadable = |reason: String| Box::new(checks::built::profile_unreadable(&name, &reason));
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let file: ProfileFile = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if file.api_version != API_VERSION || file.kind != KIND {
            return Err(unreadable(format!("it is {} of {}", file.kind, file.api_version)));
        }
        Ok(Profile { path: name, decisions: file.decisions })
    }

    /// The hits of a decision; empty where none were counted for what it means, or for other cells.
    pub fn hits(&self, direction: Direction, diagram: &Diagram) -> Vec<u64> {
        let (direction, meaning) = decision(direction, diagram);
        let cells = cells(diagram);
        let of = self.decisions.iter().filter(|it| it.direction == direction && it.meaning == meaning);
        let mut sum: Vec<u64> = Vec::new();
        for entry in of.filter(|it| Some(it.hits.len()) == cells) {
            sum.resize(entry.hits.len(), 0);
            sum.iter_mut().zip(&entry.hits).for_each(|(all, more)| *all = all.saturating_add(*more));
        }
        sum
    }

    /// What of the profile is about none of some decisions, in its order.
    pub fn problems<'d>(&self, decisions: impl Iterator<Item = (Direction, &'d Diagram)>) -> Vec<Diagnostic> {
        let mut known: BTreeMap<Decision, Option<usize>> = BTreeMap::new();
        for (direction, diagram) in decisions {
            known.entry(decision(direction, diagram)).or_insert_with(|| cells(diagram));
        }
        let directions: BTreeSet<&str> = Direction::BOTH.into_iter().map(name).collect();
        let problem = |entry: &DecisionHits| {
            let direction = *directions.get(entry.direction.as_str()).unwrap_or(&"");
            let reason = match known.get(&(direction, entry.meaning.clone())) {
                Some(Some(cells)) if *cells == entry.hits.len() => return None,
                Some(Some(cells)) => format!("there are {} for the {cells} cells of that decision", entry.hits.len()),
                _ => "no endpoint of these files decides so".to_owned(),
            };
            let who = entry.who.first().map_or("a decision", String::as_str);
            let who = format!("{who}, {}", if direction.is_empty() { "no direction" } else { direction });
            Some(checks::built::profile_of_another_decision(&self.path, &who, &reason))
        };
        self.decisions.iter().filter_map(problem).collect()
    }
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

fn decision(direction: Direction, diagram: &Diagram) -> Decision {
    (name(direction), verify::certificate::meaning(diagram).to_string())
}

/// How many cells a decision has; `None` where it tells nothing apart, so that nothing is counted.
fn cells(diagram: &Diagram) -> Option<usize> {
    let matrix = ebpf::Matrix::of(diagram).ok()?;
    matrix.as_constant().is_none().then_some(matrix.leaves.len())
}
