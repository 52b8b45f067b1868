//! A name whose address is that of another name, too.

use diag::Diagnostic;
use hir::peers::name_matches;
use hir::{Effect, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{listed, quoted};

pub const PAGE: Page = page!(245, "shared-address", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let dns = &finder.cluster.dns;
    let mut found = Vec::new();
    if dns.len() < 2 {
        return found;
    }
    // What any rule of the policy means by name: the other name is no stranger then.
    let meant: Vec<&str> = spot
        .peers()
        .filter(|(_, entry, _)| entry.effect == Effect::Allow)
        .filter_map(|(_, _, peer)| match &peer.selector {
            PeerSelector::Fqdn(pattern) => Some(pattern.as_str()),
            _ => None,
        })
        .collect();
    for (_, entry, peer) in spot.peers().filter(|(_, entry, _)| entry.effect == Effect::Allow) {
        let PeerSelector::Fqdn(pattern) = &peer.selector else { continue };
        // Why: who inspects names inside the connection does not go by addresses.
        if entry.l7.is_some() {
            continue;
        }
        let own = dns.iter().filter(|(name, _)| name_matches(pattern, name));
        let mut shared = own.flat_map(|(name, addresses)| {
            let others = dns.iter().filter(|(other, _)| !meant.iter().any(|pattern| name_matches(pattern, other)));
            others.filter_map(move |(other, its)| Some((name, other, its.intersection(addresses).next()?)))
        });
        let Some((name, other, address)) = shared.next() else { continue };
        let more: Vec<&str> = shared.filter(|it| it.1 != other).map(|it| it.1.as_str()).take(2).collect();
        let headline = format!("{} also opens {}: both are at {address}", quoted(pattern), quoted(other));
        let field = ["matchName", "matchPattern"].map(|field| format!("{}.{field}", peer.path));
        let place = field.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| peer.path.clone());
        let said = spot.say(&PAGE, headline, spot.value(&place), "an address, not a name, is let through");
        let more = if more.is_empty() { String::new() } else { format!("; so are {}", listed(more, "and")) };
        let why = format!(
            "names become addresses: a packet to {address} passes, whether it is meant for {} or for {}{more}",
            quoted(name),
            quoted(other)
        );
        found.push(said.why(why).help(
            "where the names are of different owners, let a proxy look at the name: `serverNames` beside TLS ports, or HTTP rules \
             with `host`",
        ));
    }
    found.sort();
    found.dedup();
    found
}
