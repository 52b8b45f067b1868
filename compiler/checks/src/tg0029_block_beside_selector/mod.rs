//! A peer with an address block and a selector.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(29, "block-beside-selector", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let field = |name: &str| format!("{}.{name}", problem.path);
    let selector = ["podSelector", "namespaceSelector"].into_iter().find(|name| spot.node(&field(name)).is_some());
    let said = PAGE.says(format!("peer {} has an `ipBlock` and a selector", quoted(&problem.path)));
    let said = spot.blame(said, spot.key(&field("ipBlock")), "addresses").why(fate(spot, problem));
    let said = said.help("write two list elements, each with its own dash: either one then matches");
    match selector {
        Some(name) => said.note(spot.text.id, spot.key(&field(name)), "pods"),
        None => said,
    }
}
