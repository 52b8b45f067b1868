//! A deny that keeps the own node, and so the kubelet, from pods of which nothing else is told.

use diag::Diagnostic;
use flow::Direction;
use hir::{Effect, Entity, Entry, L3, L4, PeerSelector, Subjects};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(233, "own-node-denied", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let denies = spot.peers().filter(|(section, entry, peer)| {
        let is_host = matches!(peer.selector, PeerSelector::Entity(Entity::Host));
        // Why: of pods that are known TG0232 says which probes are cut, and those without probes miss nothing.
        let is_open = |it: &Subjects| matches!(it, Subjects::Endpoints(selector) if finder.own(selector).next().is_none());
        is_host && is_deny_of_all_ports(entry) && is_open(&section.subjects)
    });
    let mut found: Vec<Diagnostic> = denies.map(|(.., peer)| render(spot, &peer.path)).collect();
    found.sort();
    found.dedup();
    found
}

fn is_deny_of_all_ports(entry: &Entry) -> bool {
    entry.direction == Direction::Ingress && entry.effect == Effect::Deny && entry.l4 == L4::Unrestricted && entry.l3 != L3::Nobody
}

fn render(spot: &Spot<'_>, path: &str) -> Diagnostic {
    let said = spot.say(&PAGE, "the own node of these pods is denied on every port", spot.word(path, "host"), "the kubelet too");
    said.why(
        "liveness, readiness and startup probes over the network come from the kubelet of the pod's node, which is the entity `host`: \
         they are dropped, so containers are restarted or get no traffic",
    )
    .help("deny the ports that are meant (`toPorts`), so that those of the probes stay open")
}
