//! A text that can be no label.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted, replace};

pub const PAGE: Page = page!(22, "bad-label", Error, "0.1.0");

pub fn render_key(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no label key", quoted(found)));
    let said = spot.blame(said, spot.word(&problem.path, found), "not a key").why(fate(spot, problem));
    said.help(
        "a key is letters, digits, `-`, `_` and `.`, at most 63, perhaps after a DNS name and `/`: \
        `app.kubernetes.io/name`",
    )
}

pub fn render_value(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no label value", quoted(found)));
    let said = spot.blame(said, spot.word(&problem.path, found), "not a value").why(fate(spot, problem));
    said.help(
        "a value is at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; \
        asterisks mean nothing here",
    )
}

pub fn render_reserved(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("the reserved label at {} has a value", quoted(&problem.path)));
    let span = spot.value(&problem.path);
    let said =
        spot.blame(said, span, "must be empty").why(fate(spot, problem)).help("reserved labels have no value: write `\"\"`");
    match spot.node(&problem.path).is_some_and(|node| spot.is_own_scalar(node)) {
        true => said.fix(replace(spot.text.id, span, "\"\"", "write `\"\"`")),
        false => said,
    }
}
