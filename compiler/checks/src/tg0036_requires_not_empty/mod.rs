//! A list that must be empty.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(36, "requires-not-empty", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let list = problem.path.as_str();
    let said = PAGE.says(format!("{} must be empty", quoted(list)));
    spot.blame(said, spot.key(list), "no longer in use")
        .why(fate(spot, problem))
        .help("take it away and write the condition into each peer selector of the rule")
}
