//! A field that exists and is not enforced.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(42, "not-enforced-yet", Error, "0.1.0", Reach);

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("{} is not enforced by tidegate and stays closed", quoted(&problem.path)));
    let said = spot.blame(said, spot.key(&problem.path), "not enforced").why(fate(spot, problem));
    said.help("say the same with pods, addresses and ports where that is possible")
}
