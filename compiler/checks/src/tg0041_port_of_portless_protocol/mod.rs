//! A port for a protocol that has none.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(41, "port-of-portless-protocol", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("the protocol at {} has no ports", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), "no ports").why(fate(spot, problem)).help("take `port` away")
}
