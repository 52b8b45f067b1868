//! A list that is too short.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, fate, quoted};

pub const PAGE: Page = page!(54, "list-too-short", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let said = PAGE.says(format!("{} has {} and needs {limit}", quoted(&problem.path), counted(found, "element")));
    spot.blame(said, spot.key(&problem.path), format!("at least {limit}"))
        .why(fate(spot, problem))
        .help("add elements, or take the field away if nothing is meant")
}
