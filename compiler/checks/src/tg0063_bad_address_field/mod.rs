//! A field of an object of the API server that must be an address.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(63, "bad-address-field", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    said(spot, problem, found, "no address that may stand here")
        .help("write an address of the right family, for example `10.0.0.7`")
}

pub fn render_special(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    said(spot, problem, found, "an address of one machine or one link only")
        .help("write an address that others can reach")
}

fn said(spot: &Spot<'_>, problem: &Problem, found: &str, what: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is {what}", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), "not an address here").why(fate(spot, problem))
}
