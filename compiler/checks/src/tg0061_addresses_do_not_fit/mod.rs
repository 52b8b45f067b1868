//! Addresses of a service that do not fit each other.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(61, "addresses-do-not-fit", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says("the addresses of the service do not fit each other");
    spot.blame(said, spot.key(&problem.path), "differ").why(fate(spot, problem)).help(
        "`clusterIPs` begins with `clusterIP`, has one address of each family at most, in the order of `ipFamilies`",
    )
}
