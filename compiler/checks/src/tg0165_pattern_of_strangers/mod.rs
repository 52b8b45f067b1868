//! A name pattern that matches names of other people.

mod suffixes;

use diag::Diagnostic;
use hir::PeerSelector;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;
use suffixes::{is_of_registry, is_shared};

pub const PAGE: Page = page!(165, "pattern-of-strangers", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, _, peer) in spot.peers() {
        let PeerSelector::Fqdn(pattern) = &peer.selector else { continue };
        let rest = pattern.trim_start_matches('*');
        if rest.len() == pattern.len() || rest.is_empty() || rest.contains('*') {
            continue;
        }
        let (domain, below) = rest.strip_prefix('.').map_or((rest, false), |domain| (domain, true));
        let (what, help) = match (below, domain.matches('.').count()) {
            (true, 0) => (format!("every name below {}", quoted(domain)), "name the domains that are meant".to_owned()),
            (true, _) if is_shared(domain) => {
                let whom = if is_of_registry(domain) { "everybody who registers one" } else { "all its customers" };
                let below = format!("names below {}, which belong to {whom}", quoted(domain));
                (
                    below,
                    "name the hosts that are meant; a name that all of them share cannot tell them apart".to_owned(),
                )
            }
            (false, 1) => {
                let other = format!("names such as `other{domain}`, which anybody can register");
                (other, format!("write `*.{domain}` for the names below it, and `matchName: {domain}` for itself"))
            }
            _ => continue,
        };
        let headline = format!("the pattern {} matches {what}", quoted(pattern));
        let said =
            spot.say(&PAGE, headline, spot.value(&format!("{}.matchPattern", peer.path)), "wider than one owner");
        let said =
            said.why("whoever holds such a name can receive what these pods send: the rule does not keep data inside");
        found.push(said.help(help));
    }
    found.sort();
    found.dedup();
    found
}
