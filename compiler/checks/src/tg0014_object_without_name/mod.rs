//! A policy without a name.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(14, "object-without-name", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("this {} has no name", spot.object.object.kind));
    let span = if spot.node("metadata").is_some() { spot.key("metadata") } else { spot.key("") };
    spot.blame(said, span, "`name` is missing").why(fate(spot, problem)).help("give it a `metadata.name`")
}
