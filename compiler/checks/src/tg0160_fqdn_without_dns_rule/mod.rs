//! Names as peers, and no rule by which their addresses could be learned.

use diag::Diagnostic;
use hir::peers::name_matches;
use hir::{Effect, PeerSelector, Section};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(160, "fqdn-without-dns-rule", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let Some(policy) = &spot.policy else { return Vec::new() };
    policy.sections.iter().filter_map(|section| check(spot, finder, section)).collect()
}

/// The names and patterns of the allows of a section, each with its path.
pub(crate) fn names(section: &Section) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for entry in section.entries.iter().filter(|entry| entry.effect == Effect::Allow) {
        let hir::L3::Any(peers) = &entry.l3 else { continue };
        found.extend(peers.iter().filter_map(|peer| match &peer.selector {
            PeerSelector::Fqdn(name) if !name.is_empty() => Some((name.as_str(), peer.path.as_str())),
            _ => None,
        }));
    }
    found.sort_by_key(|(_, path)| *path);
    found.dedup();
    found
}

fn check(spot: &Spot<'_>, finder: &Finder, section: &Section) -> Option<Diagnostic> {
    // Why: answers that the facts hold have been learned somehow.
    let answered = |name: &str| finder.cluster.dns.keys().any(|known| name_matches(name, known));
    let names: Vec<(&str, &str)> = names(section).into_iter().filter(|(name, _)| !answered(name)).collect();
    let (name, path) = names.first()?;
    let mut near = finder.others.near(&spot.object.object.namespace, &section.subjects);
    if near.any(|brief| !brief.dns.is_empty()) {
        return None;
    }
    let headline = match names.len() {
        1 => format!("addresses of {} are never learned", quoted(name)),
        count => format!("addresses of {} and {} more are never learned", quoted(name), count - 1),
    };
    let list = path.rsplit_once('[').map_or(*path, |(list, _)| list);
    let said = spot.say(&PAGE, headline, spot.key(list), "no DNS rule for these pods");
    let isolates = matches!(section.egress, hir::Isolation::Isolates(_));
    let reaches = finder.others.near(&spot.object.object.namespace, &section.subjects).any(|brief| brief.reaches_dns);
    let said = said.why(match isolates && !reaches {
        true => {
            "names become addresses by DNS answers that pass the DNS proxy, and no rule sends queries of these pods there; \
             egress is isolated, so the queries themselves are dropped, too"
        }
        false => {
            "names become addresses by DNS answers that pass the DNS proxy, and no rule sends queries of these pods there: the \
             rule lets nothing through"
        }
    });
    Some(said.help(
        "allow port 53 of the cluster's DNS pods in an `egress` rule, with `rules: {dns: [{matchPattern: \"*\"}]}` beside its \
         `ports`, or narrower patterns",
    ))
}
