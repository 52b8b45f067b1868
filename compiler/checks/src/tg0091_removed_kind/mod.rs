//! A kind that no cluster of today has any more.

use diag::Diagnostic;
use kinds::Removed;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{listed, quoted};

pub const PAGE: Page = page!(91, "removed-kind", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, removed: &Removed) -> Diagnostic {
    let said = PAGE.says(format!("the kind {} was removed from {}", quoted(removed.kind), removed.by));
    let successors = listed(removed.successors.iter().copied(), "and");
    spot.blame(said, spot.value("kind"), "removed")
        .why("a cluster of today does not take the object, so nothing of what it says happens")
        .help(format!("say the same with {successors} of {}", quoted(removed.api_version)))
}
