//! From the problems of each stage to the folder that words them. One match a stage, none with a wildcard: a new problem does not
//! compile until it has words.

mod facts;
mod kinds;
mod syntax;

use diag::Diagnostic;

use crate::place::Text;

/// Words every problem of a file.
pub(crate) fn render(text: &Text<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = text.tree.problems().iter().map(|it| syntax::render(text, it)).collect();
    for spot in text.spots() {
        let trust = syntax::trust(text, spot.object.document);
        found.extend(spot.object.problems.iter().filter(|it| trust.kinds(it)).map(|it| kinds::render(&spot, it)));
        found.extend(spot.object.fact_problems.iter().filter(|_| trust.facts()).map(|it| facts::render(&spot, it)));
    }
    found
}
