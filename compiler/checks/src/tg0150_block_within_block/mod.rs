//! A block that another block of the same list holds already.

use diag::Diagnostic;
use flow::Prefix;
use hir::{L3, Peer, PeerSelector};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::splice::without_item;
use crate::tg0148_block_covers_cluster::block;
use crate::words::quoted;

pub const PAGE: Page = page!(150, "block-within-block", Hint, "0.1.0", Style);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        let L3::Any(peers) = &entry.l3 else { continue };
        let mut blocks: Vec<(Prefix, &[Prefix], usize, &Peer)> = Vec::new();
        for (at, peer) in peers.iter().enumerate() {
            if let PeerSelector::Cidr { prefix, except, .. } = &peer.selector {
                blocks.push((*prefix, except, at, peer));
            }
        }
        // Wider blocks come before those that they hold, so the ones that are open around a block form a stack.
        blocks.sort_by_key(|(prefix, _, at, _)| (*prefix, *at));
        let mut around: Vec<(Prefix, &[Prefix], usize, &Peer)> = Vec::new();
        for one in blocks {
            while around.last().is_some_and(|(outer, ..)| !outer.covers(one.0)) {
                around.pop();
            }
            let holds = |(_, except, ..): &&(Prefix, &[Prefix], usize, &Peer)| {
                !except.iter().any(|out| cover::meets(*out, one.0))
            };
            if let Some(outer) = around.iter().find(holds) {
                found.push(render(spot, one.3, one.0, outer.3, outer.0));
            }
            around.push(one);
        }
    }
    found.sort();
    found.dedup();
    found
}

fn render(spot: &Spot<'_>, inner: &Peer, prefix: Prefix, outer: &Peer, around: Prefix) -> Diagnostic {
    let (inner_text, outer_text) = (quoted(&prefix.to_string()), quoted(&around.to_string()));
    let headline = match prefix == around {
        true => format!("{inner_text} stands twice in the list"),
        false => format!("{inner_text} is inside {outer_text} of the same list"),
    };
    let said = spot.say(&PAGE, headline, block(spot, &inner.path), "adds nothing");
    let said = said.note(spot.text.id, block(spot, &outer.path), "holds it");
    let said = said
        .why("elements of a list are alternatives, so the wider block decides; a reader may think that the narrower one limits it")
        .help("delete the narrower block, or the wider one if only the narrower was meant");
    without_item(spot, &inner.path, format!("delete {inner_text}")).into_iter().fold(said, Diagnostic::fix)
}
