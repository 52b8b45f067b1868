//! A number outside its range.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(19, "number-out-of-range", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: i64, least: i64, greatest: i64) -> Diagnostic {
    let said = PAGE.says(format!("`{found}` at {} is outside {least} to {greatest}", quoted(&problem.path)));
    let said = spot.blame(said, spot.value(&problem.path), format!("{least} to {greatest}"));
    said.why(fate(spot, problem)).help(format!("write a number from {least} to {greatest}"))
}
