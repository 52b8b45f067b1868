//! An `except` that another block of the same list opens again.

use diag::{Diagnostic, Severity};
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
                let others = peers.iter().filter(|other| other.path != peer.path);
                let opens = others.filter_map(|other| Some((opened(&other.selector, *out)?, other)));
                // Why the most: one of them is told, and the wider it opens the more it matters.
                if let Some((how, other)) = opens.min_by_key(|(how, _)| *how) {
                    found.push(render(spot, peer, *prefix, (at, *out), (how, other)));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// How much of an `except` another block lets in, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Opened {
    /// All of it.
    Whole,
    /// What that block does not keep out itself.
    Rest,
    /// The narrower block alone, which may be meant.
    Within(Prefix),
}

/// What of the addresses of an `except` a peer lets in; `None` for nothing.
fn opened(peer: &PeerSelector, out: Prefix) -> Option<Opened> {
    let PeerSelector::Cidr { prefix: block, except: kept, .. } = peer else { return None };
    if !cover::meets(*block, out) {
        return None;
    }
    // Two blocks that meet are one within the other.
    let both = if block.covers(out) { out } else { *block };
    let kept: Vec<Prefix> = kept.iter().filter(|it| cover::meets(**it, both)).copied().collect();
    match kept.is_empty() {
        true if both == out => Some(Opened::Whole),
        true => Some(Opened::Within(both)),
        false if kept.iter().any(|it| it.covers(both)) || cover::is_used_up(both, &kept) => None,
        false if *block != both => Some(Opened::Rest),
        false => Some(Opened::Within(both)),
    }
}

fn render(
    spot: &Spot<'_>,
    peer: &Peer,
    prefix: Prefix,
    (at, out): (usize, Prefix),
    (how, other): (Opened, &Peer),
) -> Diagnostic {
    let written = [format!("{}.ipBlock.except[{at}]", peer.path), format!("{}.except[{at}]", peer.path)];
    let path = written.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| peer.path.clone());
    let out = quoted(&out.to_string());
    let of = quoted(&prefix.to_string());
    let (level, headline, label) = match how {
        Opened::Whole => {
            (PAGE.level, format!("{out} is kept out of {of} and let in again beside it"), "without effect")
        }
        Opened::Rest => {
            (PAGE.level, format!("{out} is kept out of {of} and let in again beside it, but for a part"), "hardly any effect")
        }
        Opened::Within(part) => {
            let part = quoted(&part.to_string());
            let headline = format!("{part}, a part of {out} that is kept out of {of}, is let in again beside it");
            (Severity::Hint, headline, "not all of it")
        }
    };
    let said = PAGE.says_as(level, headline).blame(spot.text.id, spot.value(&path), label);
    let said = said.note(spot.text.id, block(spot, &other.path), "this block holds it");
    said.why("`except` belongs to its own block; another block of the list that holds the addresses lets them through")
        .help("repeat the `except` in the other block, or narrow that block")
}
