//! A rule by name that stands for very many addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use diag::Diagnostic;
use hir::peers::name_matches;
use hir::{Effect, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(247, "name-with-many-addresses", Hint, "0.1.0", Cost);

/// How many addresses an agent keeps of one name for an endpoint unless it is told otherwise (`tofqdns-endpoint-max-ip-per-hostname`).
const KEPT: usize = 1000;

/// Half of what is kept of one name: time to think of it. The same number for a pattern as a whole, each address of which is an identity.
const BUDGET: usize = KEPT / 2;

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let dns = &finder.cluster.dns;
    if dns.values().map(BTreeSet::len).sum::<usize>() <= BUDGET {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, _, peer) in spot.peers().filter(|(_, entry, _)| entry.effect == Effect::Allow) {
        let PeerSelector::Fqdn(pattern) = &peer.selector else { continue };
        let known: Vec<(&String, &BTreeSet<IpAddr>)> = dns.iter().filter(|(name, _)| name_matches(pattern, name)).collect();
        let addresses: BTreeSet<&IpAddr> = known.iter().flat_map(|(_, all)| all.iter()).collect();
        if addresses.len() <= BUDGET {
            continue;
        }
        let Some((widest, its)) = known.iter().max_by_key(|(_, all)| all.len()) else { continue };
        let headline = format!("{} stands for {} addresses", quoted(pattern), addresses.len());
        let field = ["matchName", "matchPattern"].map(|field| format!("{}.{field}", peer.path));
        let place = field.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| peer.path.clone());
        let said = spot.say(&PAGE, headline, spot.value(&place), "each is an entry of every pod that this selects");
        let names = match known.len() {
            1 => format!("the facts know {} of {}", its.len(), quoted(widest)),
            count => format!("the facts know {count} names that match; {} alone has {}", quoted(widest), its.len()),
        };
        let why = format!(
            "{names}; an agent keeps {KEPT} addresses of a name unless told otherwise and forgets the oldest beyond, so that connections to \
             forgotten ones are dropped, and each new address changes tables before its answer is let through"
        );
        found.push(said.why(why).help(
            "allow the published ranges of the service with `toCIDRSet`, or a proxy in front of it; or narrow the pattern",
        ));
    }
    found.sort();
    found.dedup();
    found
}
