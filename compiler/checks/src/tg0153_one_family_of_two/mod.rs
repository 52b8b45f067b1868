//! A rule for every address of one family in a cluster with two.

use diag::Diagnostic;
use flow::{Family, Prefix};
use hir::{Effect, L3, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0148_block_covers_cluster::block;
use crate::words::quoted;

pub const PAGE: Page = page!(153, "one-family-of-two", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if !finder.addresses().both_families {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (section, entry) in spot.rules() {
        let L3::Any(peers) = &entry.l3 else { continue };
        for peer in peers {
            let PeerSelector::Cidr { prefix, .. } = &peer.selector else { continue };
            if prefix.len() > 0 {
                continue;
            }
            let other = match prefix.family() {
                Family::V4 => Family::V6,
                Family::V6 => Family::V4,
            };
            let alike =
                section.entries.iter().filter(|it| it.direction == entry.direction && it.effect == entry.effect);
            let of_other = |it: &hir::Entry| match &it.l3 {
                L3::Any(peers) => peers.iter().any(|peer| match &peer.selector {
                    PeerSelector::Cidr { prefix, .. } => prefix.family() == other,
                    PeerSelector::Entity(_) => true,
                    _ => false,
                }),
                L3::Unrestricted => true,
                L3::Nobody => false,
            };
            if !alike.into_iter().any(of_other) {
                found.push(render(spot, &peer.path, *prefix, Prefix::all(other), entry.effect));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn render(spot: &Spot<'_>, path: &str, written: Prefix, missing: Prefix, effect: Effect) -> Diagnostic {
    let (written, missing) = (quoted(&written.to_string()), quoted(&missing.to_string()));
    let headline = format!("{written} stands without {missing} in a cluster with both address families");
    let said = spot.say(&PAGE, headline, block(spot, path), "one family only");
    let said = said.why(match effect {
        Effect::Deny => "addresses of the other family are not denied by this rule",
        _ => "connections by the other family are not let through, and clients try that one first as often as not",
    });
    said.help(format!("add {missing} beside it"))
}
