//! An `except` that another block of the same list opens again.

use diag::Diagnostic;
use flow::Prefix;
use hir::{L3, Peer, PeerSelector};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0148_block_covers_cluster::block;
use crate::words::quoted;

pub const PAGE: Page = page!(151, "except-opened-again", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        let L3::Any(peers) = &entry.l3 else { continue };
        for peer in peers {
            let PeerSelector::Cidr { prefix, except, .. } = &peer.selector else { continue };
            for (at, out) in except.iter().enumerate() {
                let opens = |other: &&Peer| match &other.selector {
                    PeerSelector::Cidr { prefix: wide, except: kept, .. } => {
                        other.path != peer.path && wide.covers(*out) && !kept.iter().any(|it| cover::meets(*it, *out))
                    }
                    _ => false,
                };
                if let Some(other) = peers.iter().find(opens) {
                    found.push(render(spot, peer, *prefix, (at, *out), other));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn render(spot: &Spot<'_>, peer: &Peer, prefix: Prefix, (at, out): (usize, Prefix), other: &Peer) -> Diagnostic {
    let written = [format!("{}.ipBlock.except[{at}]", peer.path), format!("{}.except[{at}]", peer.path)];
    let path = written.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| peer.path.clone());
    let out = quoted(&out.to_string());
    let headline = format!("{out} is kept out of {} and let in again beside it", quoted(&prefix.to_string()));
    let said = spot.say(&PAGE, headline, spot.value(&path), "without effect");
    let said = said.note(spot.text.id, block(spot, &other.path), "this block holds it");
    said.why("`except` belongs to its own block; another block of the list that holds the addresses lets them through")
        .help("repeat the `except` in the other block, or narrow that block")
}
