//! A decision that would pass a limit.

use diag::Diagnostic;
use diagram::TooLarge;

use crate::page::{Page, page};
use crate::words::quoted;

pub const PAGE: Page = page!(47, "decision-too-large", Error, "0.1.0", Reach);

/// Says that the rules of some subjects, named by their labels, make a decision that is too large to build.
pub fn render(subjects: &str, problem: &TooLarge) -> Diagnostic {
    let TooLarge { what, needed, limit } = problem;
    PAGE.says(format!("the rules of {} need {needed} {what}, and {limit} is the limit", quoted(subjects)))
        .why("no program can be built for these subjects; where one is in force it stays, and nothing falls open")
        .help("use fewer distinct port ranges and address blocks for these subjects, or split what they run")
}
