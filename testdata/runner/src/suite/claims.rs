//! Compares what manifests claim with what is wrong with them.

use super::text::{Claim, Manifest};
use driver::text::{self, Role};
use driver::{Database, locate};
use hir::Dialect;
use kinds::Consequence;
use std::collections::BTreeMap;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many claims there were.
    pub compared: usize,
    /// Lines of the fixture and what is wrong there.
    pub failures: Vec<(usize, String)>,
}

/// Compares every claim: each must be met, and no object may be refused without one.
pub fn compare(db: &Database, dialect: &Dialect, manifests: &BTreeMap<String, Manifest>) -> Outcome {
    let mut outcome = Outcome::default();
    for manifest in manifests.values() {
        let found = found(db, manifest);
        let claims: Vec<&Claim> = manifest.claims.iter().filter(|claim| claim.holds_for(dialect)).collect();
        outcome.compared += claims.len();
        for claim in &claims {
            if !found.iter().any(|(line, is_error, _)| (*line, *is_error) == (claim.line, claim.is_error)) {
                let text = format!("nothing is wrong here, but it is claimed; found: {found:?}");
                outcome.failures.push((manifest.fixture_line(claim.line), text));
            }
        }
        for (line, is_error, text) in &found {
            let claimed = claims.iter().any(|claim| claim.line == *line && claim.is_error == *is_error);
            if *is_error && !claimed {
                outcome.failures.push((manifest.fixture_line(*line), format!("not claimed: {text}")));
            }
        }
    }
    outcome
}

/// Line, whether the object is refused for it, and what it is.
fn found(db: &Database, manifest: &Manifest) -> Vec<(usize, bool, String)> {
    let Some(file) = db.file_at(&manifest.name) else { return Vec::new() };
    let mut found = Vec::new();
    for object in text::decoded(db, file).objects.iter() {
        let line = |path: &str| {
            let place = locate::place(db, file, object, path);
            locate::position(db, file, place.span).line as usize
        };
        for problem in &object.problems {
            let refused = problem.consequence == Consequence::Rejected;
            found.push((line(&problem.path), refused, format!("{}: {:?}", problem.path, problem.kind)));
        }
        let silent = object.role == Role::Rejected && object.problems.is_empty();
        found.extend(silent.then(|| (1, true, "the object is refused without a reason".to_owned())));
    }
    found
}
