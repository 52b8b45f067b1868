//! A reference to a group of addresses that does not exist.

use diag::Diagnostic;
use hir::PeerSelector;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{nearest, quoted, replace};

pub const PAGE: Page = page!(182, "unknown-address-group", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let groups = &finder.cluster.cidr_groups;
    if groups.is_empty() && !finder.complete {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, _, peer) in spot.peers() {
        let PeerSelector::CidrGroup { name, .. } = &peer.selector else { continue };
        if groups.contains_key(name) {
            continue;
        }
        let path = format!("{}.cidrGroupRef", peer.path);
        let span = spot.value(&path);
        let said = spot.say(&PAGE, format!("there is no CiliumCIDRGroup {}", quoted(name)), span, "unknown here");
        let said = said.why("a group that does not exist holds no address, so the rule does nothing for it");
        found.push(match nearest(name, groups.keys().map(String::as_str)) {
            Some(near) if spot.node(&path).is_some_and(|node| spot.is_own_scalar(node)) => {
                let said = said.help(format!("did you mean {}?", quoted(near)));
                said.fix(replace(spot.text.id, span, near, format!("write `{near}`")))
            }
            _ => said.help("create the group, or name one that exists"),
        });
    }
    found.sort();
    found.dedup();
    found
}
