//! A member of a list that may stand there once.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::splice::without_item;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(57, "duplicate-member", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("{} stands there a second time", quoted(&problem.path)));
    let said = spot.blame(said, spot.value(&problem.path), "again");
    let said = said.why(fate(spot, problem)).help("take one of them away, or change it");
    without_item(spot, &problem.path, "take the second one away").into_iter().fold(said, Diagnostic::fix)
}
