//! A port that a proxy rule cannot have.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(39, "proxy-rule-on-wrong-port", Error, "0.1.0");

pub fn render_tcp(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "rules for a proxy stand at a port whose protocol is not just TCP", "not just TCP");
    said.help("add `protocol: TCP`; without it a port means TCP, UDP and SCTP")
}

pub fn render_zero(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "rules for a proxy stand at port 0, which means every port", "every port");
    said.help("name the ports that the proxy should see")
}

pub fn render_dns(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let said = said(spot, problem, "DNS rules need one port, neither none nor a range", "needs one port");
    said.help("write `ports: [{port: \"53\", protocol: ANY}]`")
}

fn said(spot: &Spot<'_>, problem: &Problem, headline: &str, label: &str) -> Diagnostic {
    spot.blame(PAGE.says(headline), spot.key(&problem.path), label).why(fate(spot, problem))
}
