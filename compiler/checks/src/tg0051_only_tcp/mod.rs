//! A port element that names neither protocol nor port.

use diag::Diagnostic;
use driver::text::Role;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::replace;

pub const PAGE: Page = page!(51, "only-tcp", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if spot.object.role != Role::Policy || spot.object.object.kind != "NetworkPolicy" {
        return Vec::new();
    }
    let rules = ["ingress", "egress"].into_iter().flat_map(|field| spot.items(&format!("spec.{field}")));
    let ports = rules.flat_map(|rule| spot.items(&format!("{rule}.ports")).collect::<Vec<_>>());
    let is_bare = |path: &String| {
        ["port", "protocol", "endPort"].iter().all(|field| spot.value_at(&format!("{path}.{field}")).is_none())
    };
    ports.filter(is_bare).map(|path| render(spot, &path)).collect()
}

fn render(spot: &Spot<'_>, path: &str) -> Diagnostic {
    let span = spot.value(path);
    let said = PAGE.says("an empty element of `ports` means every TCP port, not every port");
    let said = spot.blame(said, span, "TCP only");
    let said = said.why("UDP, and with it most DNS, SCTP and ICMP stay outside the rule");
    let said = said.help("leave `ports` away to mean every protocol and port; write `protocol: TCP` to mean TCP");
    match span.slice(spot.tree().text()) == "{}" {
        true => said.fix(replace(spot.text.id, span, "{protocol: TCP}", "say that TCP is meant")),
        false => said,
    }
}
