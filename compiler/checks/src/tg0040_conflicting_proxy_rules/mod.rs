//! Proxy rules that exclude each other.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(40, "conflicting-proxy-rules", Error, "0.1.0");

pub fn render_several(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "several families of proxy rules stand at one port", "more than one family");
    said.help("keep one of `http`, `kafka`, `dns` and `l7proto`; write the others at ports of their own")
}

pub fn render_no_protocol(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    said(spot, problem, "`l7` stands without `l7proto`", "which parser?").help("add `l7proto`, the name of the parser")
}

pub fn render_server_names(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said =
        said(spot, problem, "`serverNames` stands beside proxy rules without `terminatingTLS`", "cannot look inside");
    said.help("add `terminatingTLS`, or keep only one of the two")
}

pub fn render_listener(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "a `listener` stands beside proxy rules", "two proxies");
    said.help("let the listener apply the rules, or take it away")
}

fn said(spot: &Spot<'_>, problem: &Problem, headline: &str, label: &str) -> Diagnostic {
    spot.blame(PAGE.says(headline), spot.key(&problem.path), label).why(fate(spot, problem))
}
