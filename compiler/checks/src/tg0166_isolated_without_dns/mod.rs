//! Pods that may reach other pods and cannot look up their names.

use diag::Diagnostic;
use facts::Name;
use flow::Direction;
use hir::{Effect, Isolation, L3, L4, PeerSelector, Section, Subjects};

use crate::find::{Finder, dns_pods};
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0231_resolver_out_of_reach::resolvers;

pub const PAGE: Page = page!(166, "isolated-without-dns", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let Some(policy) = &spot.policy else { return Vec::new() };
    if policy.object.namespace == "kube-system" || !has_dns(finder) {
        return Vec::new();
    }
    policy.sections.iter().filter_map(|section| check(spot, finder, section)).collect()
}

/// Whether the facts show the DNS pods or service of the cluster: then its policies are likely all here.
fn has_dns(finder: &Finder) -> bool {
    let service = Name::new("kube-system", "kube-dns");
    finder.cluster.services.contains_key(&service) || finder.matching(&dns_pods()).next().is_some()
}

fn check(spot: &Spot<'_>, finder: &Finder, section: &Section) -> Option<Diagnostic> {
    if !matches!((&section.subjects, &section.egress), (Subjects::Endpoints(_), Isolation::Isolates(_))) {
        return None;
    }
    let to_pods = section.entries.iter().find(|entry| {
        let pods = |l3: &L3| matches!(l3, L3::Any(peers) if peers.iter().any(|it| matches!(it.selector, PeerSelector::Labels { .. })));
        entry.direction == Direction::Egress && entry.effect == Effect::Allow && pods(&entry.l3)
    })?;
    let mut near = finder.others.near(&spot.object.object.namespace, &section.subjects);
    if near.any(|brief| brief.reaches_dns) {
        return None;
    }
    let rule = to_pods.path.split(".toPorts[").next().unwrap_or_default();
    let said = spot.say(
        &PAGE,
        "pods may reach other pods and cannot ask DNS for their addresses",
        spot.key(rule.rsplit_once('[').map_or(rule, |(list, _)| list)),
        if to_pods.l4 == L4::Unrestricted { "none of these pods answers DNS" } else { "no rule for port 53" },
    );
    let Subjects::Endpoints(selector) = &section.subjects else { return None };
    let subject = finder.own(selector).next().map_or_else(|| "any of these pods".to_owned(), |it| format!("pod {}", it.pod.name));
    let resolver = finder.own(&resolvers()).next().map_or_else(|| "the DNS service".to_owned(), |it| format!("pod {}", it.pod.name));
    let said = said.why(format!(
        "a packet from {subject} to {resolver}, udp/53, is dropped: these pods are isolated for egress and no policy lets them send UDP to port 53 of these, \
         so names are not resolved and connections by name fail"
    ));
    Some(said.help("add a rule that allows UDP and TCP port 53 to the DNS pods in `kube-system`"))
}
