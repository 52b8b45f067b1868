//! A mapping with too few or too many fields.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, fate, quoted};

pub const PAGE: Page = page!(56, "wrong-number-of-fields", Error, "0.1.0");

pub fn render_few(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let has = counted(found, "known field");
    let said = PAGE.says(format!("{} has {has} and needs {limit}", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), format!("at least {limit}"))
        .why(fate(spot, problem))
        .help("add the field that says what is meant; an empty mapping here means nothing")
}

pub fn render_many(spot: &Spot<'_>, problem: &Problem, found: usize, limit: usize) -> Diagnostic {
    let has = counted(found, "known field");
    let said = PAGE.says(format!("{} has {has} and may have {limit}", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), format!("at most {limit}"))
        .why(fate(spot, problem))
        .help("write the others into elements of their own")
}
