//! Authentication that is asked of peers outside the cluster.

use diag::Diagnostic;
use flow::Auth;
use hir::{Entity, L3, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0170_deny_cancels_outside_allow::rule;

pub const PAGE: Page = page!(181, "outsiders-cannot-authenticate", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules().filter(|(_, entry)| entry.auth == Some(Auth::Required)) {
        use PeerSelector::{Cidr, CidrGroup, CidrGroups, Fqdn};
        let outside = |peer: &hir::Peer| match &peer.selector {
            Cidr { .. } | CidrGroup { .. } | CidrGroups { .. } | Fqdn(_) => true,
            PeerSelector::Entity(entity) => matches!(entity, Entity::World | Entity::WorldV4 | Entity::WorldV6),
            _ => false,
        };
        if matches!(&entry.l3, L3::Any(peers) if peers.iter().all(outside)) {
            let path = format!("{}.authentication", rule(entry));
            let said =
                spot.say(&PAGE, "peers outside the cluster cannot authenticate", spot.key(&path), "never fulfilled");
            let said = said.why("mutual authentication is done by agents for pods that they manage; nobody does it for addresses outside, so every connection is dropped");
            found.push(said.help("delete `authentication` from rules about the outside"));
        }
    }
    found.dedup();
    found
}
