//! A rule of the kind that no single field breaks.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(58, "rule-broken", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, name: &str, says: &str) -> Diagnostic {
    let place = if problem.path.is_empty() { "the object".to_owned() } else { quoted(&problem.path) };
    let said = PAGE.says(format!("{place} breaks a rule of its kind: {says}"));
    spot.blame(said, spot.key(&problem.path), name).why(fate(spot, problem)).help(format!("change it so that {says}"))
}
