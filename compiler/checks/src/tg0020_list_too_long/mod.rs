//! A list that is too long.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, fate, quoted};

pub const PAGE: Page = page!(20, "list-too-long", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let said = PAGE.says(format!("{} has {} and may have {limit}", quoted(&problem.path), counted(found, "element")));
    spot.blame(said, spot.key(&problem.path), format!("at most {limit}"))
        .why(fate(spot, problem))
        .help("spread the elements over several rules; rules add up")
}
