//! From the problems of each stage to the folder that words them. One match a stage, none with a wildcard: a new problem does not
//! compile until it has words.

mod facts;
mod kinds;
mod syntax;

use std::collections::BTreeSet;

use diag::Diagnostic;
use driver::text::Role;

use crate::place::{Spot, Text};
pub(crate) use syntax::{Trust, trust};

/// Whether nothing stands between two `---`, or comments only.
fn is_empty(spot: &Spot<'_>) -> bool {
    spot.object.at.is_empty() && spot.root.is_some_and(|root| matches!(spot.tree().value(root), ::syntax::Value::Null))
}

/// Words every problem of a file.
pub(crate) fn render(text: &Text) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = text.tree.problems().iter().map(|it| syntax::render(text, it)).collect();
    for spot in text.spots() {
        let trust = trust(text, spot.object.document);
        let problems = kinds::without_echoes(&spot.object.problems);
        // Why: of an object that is refused as a whole, what else would not be enforced does not matter.
        let moot =
            |it: &::kinds::Problem| spot.object.role == Role::Rejected && it.kind == ::kinds::ProblemKind::NotYet;
        let supplied =
            |it: &::kinds::Problem| it.kind == ::kinds::ProblemKind::NotYet && spot.is_supplied_group(&it.path);
        let worth = |it: &&::kinds::Problem| trust.in_policy(it) && !is_empty(&spot) && !moot(it) && !supplied(it);
        found.extend(problems.iter().filter(worth).map(|it| kinds::render(&spot, it)));
        if trust == Trust::Whole {
            let refused: BTreeSet<&str> = problems.iter().map(|it| it.path.as_str()).collect();
            let facts = spot.object.fact_problems.iter().filter(|it| !refused.contains(it.path.as_str()));
            found.extend(facts.map(|it| facts::render(&spot, it)));
        }
    }
    found
}
