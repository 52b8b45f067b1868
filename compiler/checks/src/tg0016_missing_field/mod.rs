//! A field that must be there.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(16, "missing-field", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, name: &str) -> Diagnostic {
    let place = if problem.path.is_empty() { "the object".to_owned() } else { quoted(&problem.path) };
    let said = PAGE.says(format!("{} is missing in {place}", quoted(name)));
    spot.blame(said, spot.key(&problem.path), format!("needs `{name}`"))
        .why(fate(spot, problem))
        .help(format!("add `{name}`"))
}
