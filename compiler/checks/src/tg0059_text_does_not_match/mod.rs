//! A text that does not match the pattern or format of its field.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(59, "text-does-not-match", Error, "0.1.0");

pub fn render_pattern(spot: &Spot<'_>, problem: &Problem, found: &str, pattern: &str) -> Diagnostic {
    said(spot, problem, found, "pattern").help(format!("write a text that matches {}", quoted(pattern)))
}

pub fn render_format(spot: &Spot<'_>, problem: &Problem, found: &str, format: &str) -> Diagnostic {
    said(spot, problem, found, "format").help(format!("write a text of the format {}", quoted(format)))
}

fn said(spot: &Spot<'_>, problem: &Problem, found: &str, what: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} does not match the {what} of its field", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), "does not match").why(fate(spot, problem))
}
