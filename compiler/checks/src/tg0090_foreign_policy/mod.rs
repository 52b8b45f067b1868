//! A policy of another engine, which nothing here evaluates.

use diag::Diagnostic;
use kinds::Engine;

use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(90, "foreign-policy", Warning, "0.1.0", Reach);

pub fn render(spot: &Spot<'_>, engine: Engine) -> Diagnostic {
    let said = PAGE.says(format!("this policy of {engine} is not evaluated"));
    spot.blame(said, spot.value("kind"), format!("decided by {engine}"))
        .why(format!(
            "{engine} may refuse what is allowed here, or allow what is refused here, so every answer about the traffic that it can \
             select is incomplete"
        ))
        .help(format!("read answers as what holds beside {engine}, or say the same with a kind that is read here"))
}
