//! A text that is too long or too short.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, fate, quoted};

pub const PAGE: Page = page!(55, "text-length", Error, "0.1.0");

pub fn render_long(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let said = PAGE.says(format!("{} has {} and may have {limit}", quoted(&problem.path), counted(found, "character")));
    spot.blame(said, spot.value(&problem.path), format!("at most {limit}")).why(fate(spot, problem)).help("shorten it")
}

pub fn render_short(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let said = PAGE.says(format!("{} has {} and needs {limit}", quoted(&problem.path), counted(found, "character")));
    spot.blame(said, spot.value(&problem.path), format!("at least {limit}"))
        .why(fate(spot, problem))
        .help("write a longer text")
}
