//! An object of the cluster with a text that is no address.

use diag::Diagnostic;
use facts::decode::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(44, "bad-address", Warning, "0.1.0");

pub fn render_address(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    said(spot, problem, found, "address").help("write an IPv4 or IPv6 address without length, for example `10.0.0.7`")
}

pub fn render_prefix(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    said(spot, problem, found, "address block").help("write an address and a length, for example `10.0.0.0/24`")
}

fn said(spot: &Spot<'_>, problem: &Problem, found: &str, what: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no {what}", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), format!("not an {what}")).why(
        "the rest of the object is used; traffic of the address that was meant is taken for traffic of somebody else",
    )
}
