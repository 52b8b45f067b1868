//! An object of the cluster that has no name.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(43, "cluster-object-without-name", Warning, "0.1.0");

pub fn render(spot: &Spot<'_>) -> Diagnostic {
    let kind = &spot.object.object.kind;
    let span = if spot.node("metadata").is_some() { spot.key("metadata") } else { spot.key("") };
    spot.blame(PAGE.says(format!("this {kind} has no name")), span, "`name` is missing")
        .why("it is left out of the cluster: no selector finds it, and its addresses belong to nobody")
        .help("give it a `metadata.name`; a `generateName` is not a name yet")
}
