//! An `endPort` that ends no range.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(27, "bad-port-range", Error, "0.1.0");

pub fn render_without_port(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    said(spot, problem, "`endPort` has no `port` to begin at", "no `port` beside it")
        .help("add the first `port` of the range")
}

pub fn render_with_name(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    said(spot, problem, "`endPort` stands beside a port name", "a range needs numbers")
        .help("write `port` as a number, or take `endPort` away")
}

pub fn render_below(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let port = format!("{}.port", problem.path.strip_suffix(".endPort").unwrap_or(&problem.path));
    said(spot, problem, "`endPort` is less than `port`", "the range ends before it begins")
        .note(spot.text.id, spot.value(&port), "the range begins here")
        .help("write the greater number as `endPort`")
}

fn said(spot: &Spot<'_>, problem: &Problem, headline: &str, label: &str) -> Diagnostic {
    spot.blame(PAGE.says(headline), spot.value(&problem.path), label).why(fate(spot, problem))
}
