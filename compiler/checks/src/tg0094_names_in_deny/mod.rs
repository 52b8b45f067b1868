//! Domain names in a rule that does not let traffic through.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(94, "names-in-deny", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says("domain names stand in a rule that does not let traffic through");
    spot.blame(said, spot.key(&problem.path), "not in a Deny or Pass")
        .why(fate(spot, problem))
        .help("allow the names that may be reached, and deny `networks: [0.0.0.0/0, \"::/0\"]` in a later rule")
}
