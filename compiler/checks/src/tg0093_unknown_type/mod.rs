//! A peer or protocol of a type that is not known.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::listed;

pub const PAGE: Page = page!(93, "unknown-type", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, names: &[String]) -> Diagnostic {
    let said =
        PAGE.says(format!("nothing is known that is described by {}", listed(names.iter().map(String::as_str), "and")));
    spot.blame(said, spot.key(&problem.path), "of an unknown type")
        .why(
            "a rule with a part that nobody understands is closed: an allow lets nothing through, and a deny or a pass refuses \
             everything that its other parts do not rule out",
        )
        .help("use a type that the cluster's version of the API has, or update what enforces the policy")
}
