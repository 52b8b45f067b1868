//! Two peer lists in one rule.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(30, "combined-peers", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, first: &str, second: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} and {} stand in one rule", quoted(first), quoted(second)));
    let said = spot.blame(said, spot.key(&problem.path), "second peer list").why(fate(spot, problem));
    let said = said.help("write two rules with one peer list each; rules add up");
    match problem.path.strip_suffix(second) {
        Some(rule) => said.note(spot.text.id, spot.key(&format!("{rule}{first}")), "first peer list"),
        None => said,
    }
}
