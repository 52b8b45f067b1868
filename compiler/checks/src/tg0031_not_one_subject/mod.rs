//! A rule about nobody, or about two sorts of subjects.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(31, "not-one-subject", Error, "0.1.0");

pub fn render_none(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = PAGE.says(format!("{} says nothing of whom it is about", quoted(&problem.path)));
    spot.blame(said, spot.key(&problem.path), "no `endpointSelector`")
        .why(fate(spot, problem))
        .help("add `endpointSelector`; `endpointSelector: {}` means every pod in scope")
}

pub fn render_two(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let path = |name: &str| format!("{}.{name}", problem.path);
    let said = PAGE.says("a rule has both `endpointSelector` and `nodeSelector`");
    let said = spot.blame(said, spot.key(&path("nodeSelector")), "nodes").why(fate(spot, problem));
    let said = said.help("write two rules, one about pods and one about nodes");
    said.note(spot.text.id, spot.key(&path("endpointSelector")), "pods")
}
