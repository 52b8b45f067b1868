//! A policy without any rule.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(33, "no-rules", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("{} has no rule in any direction", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), "no rules").why(fate(spot, problem)).help(
        "to deny everything, write `ingress: [{}]` or `egress: [{}]`: one empty rule allows nothing and \
            isolates the direction",
    )
}
