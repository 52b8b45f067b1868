//! ICMP types beside ports in one rule.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(34, "icmp-beside-ports", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let rule = problem.path.rsplit_once(".icmps").map_or("", |(rule, _)| rule);
    let said = PAGE.says(format!("`icmps` and `toPorts` stand in one rule at {}", quoted(rule)));
    spot.blame(said, spot.key(&format!("{rule}.icmps")), "ICMP types")
        .note(spot.text.id, spot.key(&format!("{rule}.toPorts")), "ports")
        .why(fate(spot, problem))
        .help("write two rules, one with each; rules add up")
}
