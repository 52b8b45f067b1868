//! A peer that says nothing.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(28, "empty-peer", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("peer {} is empty", quoted(&problem.path)));
    spot.blame(said, spot.value(&problem.path), "empty peer").why(fate(spot, problem)).help(
        "write `podSelector: {}` for the pods of the namespace, `namespaceSelector: {}` for all pods, or take \
            the list away for everybody",
    )
}
