//! A proxy rule where no proxy can be.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(38, "proxy-rule-in-wrong-place", Error, "0.1.0");

pub fn render_dns(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "DNS rules stand in an ingress rule", "ingress has no DNS proxy");
    said.help("write them in the egress rule of the pods that ask")
}

pub fn render_host(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "a policy about nodes has rules for a proxy", "nodes have no such proxy");
    said.help("nodes can have DNS rules on egress only; say the rest with ports")
}

pub fn render_listener(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "a `listener` stands in an ingress rule", "egress only");
    said.help("a listener can be given in egress rules only; take it away here")
}

fn said(spot: &Spot<'_>, problem: &Problem, headline: &str, label: &str) -> Diagnostic {
    spot.blame(PAGE.says(headline), spot.key(&problem.path), label).why(fate(spot, problem))
}
