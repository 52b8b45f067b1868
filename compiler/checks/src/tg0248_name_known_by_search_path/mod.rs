//! A name whose addresses are known under another name: the one that a resolver made of it.

use std::net::IpAddr;

use diag::Diagnostic;
use hir::{Effect, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(248, "name-known-by-search-path", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry, peer) in spot.peers().filter(|(_, entry, _)| entry.effect == Effect::Allow) {
        let PeerSelector::Fqdn(name) = &peer.selector else { continue };
        // Why: an exact name that has answers of its own works, whatever else was asked for.
        if entry.l7.is_some() || name.contains('*') || finder.cluster.dns.contains_key(name.as_str()) {
            continue;
        }
        let Some((completed, address)) = completed(finder, name) else { continue };
        let headline = format!("answers are known for {}, and the rule says {}", quoted(completed), quoted(name));
        let field = format!("{}.matchName", peer.path);
        let place = if spot.node(&field).is_some() { field } else { peer.path.clone() };
        let said = spot.say(&PAGE, headline, spot.value(&place), "no address is known for this name");
        let why = format!(
            "pods looked it up with a search domain and were given {address} for the longer name, so that a packet to {address} is dropped: \
             the rule never learns an address as long as the longer name is answered"
        );
        found.push(said.why(why).help(
            "write the longer name, too, or turn completion off where it comes from: `autopath` of CoreDNS, or a wildcard record in a \
             search domain; pods can ask for the name with a dot at its end",
        ));
    }
    found.sort();
    found.dedup();
    found
}

/// The name with a search domain of the cluster after it that has an answer, and its first address.
fn completed<'f>(finder: &'f Finder, name: &str) -> Option<(&'f str, IpAddr)> {
    let mut longer = finder.cluster.dns.range(format!("{name}.")..).take_while(|(it, _)| it.starts_with(name));
    longer.find_map(|(it, addresses)| {
        let domain = it.strip_prefix(name)?.strip_prefix('.')?;
        let is_search = domain.starts_with("svc.") || domain.contains(".svc.") || domain == "cluster.local";
        Some((it.as_str(), *addresses.first()?)).filter(|_| is_search)
    })
}
