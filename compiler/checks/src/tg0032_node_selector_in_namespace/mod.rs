//! A node selector in a namespaced policy.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(32, "node-selector-in-namespace", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says("a CiliumNetworkPolicy cannot select nodes");
    spot.blame(said, spot.key(&problem.path), "nodes are in no namespace")
        .why(fate(spot, problem))
        .help("write a CiliumClusterwideNetworkPolicy, without `metadata.namespace`")
}
