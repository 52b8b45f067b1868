//! A field that another field does not allow.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(60, "field-not-allowed-here", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, beside: &str) -> Diagnostic {
    let beside = quoted(beside);
    let said = PAGE.says(format!("{} may not be set with this {beside}", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), "not here")
        .why(fate(spot, problem))
        .help(format!("take it away, or change {beside}; an absent one has its default"))
}
