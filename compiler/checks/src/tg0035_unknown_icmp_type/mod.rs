//! A name or number that is no ICMP type.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(35, "unknown-icmp-type", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no ICMP type of its family", quoted(found)));
    spot.blame(said, spot.value(&problem.path), "unknown type")
        .why(fate(spot, problem))
        .help("write a number from 0 to 255, or a name such as `EchoRequest`; `family: IPv6` has names of its own")
}
