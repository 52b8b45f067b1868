//! A block of which `except` leaves nothing.

use diag::Diagnostic;
use hir::PeerSelector;

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0148_block_covers_cluster::block;
use crate::words::quoted;

pub const PAGE: Page = page!(149, "except-uses-block-up", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, _, peer) in spot.peers() {
        let PeerSelector::Cidr { prefix, except, .. } = &peer.selector else { continue };
        if cover::is_used_up(*prefix, except) {
            let headline = format!("`except` leaves nothing of {}", quoted(&prefix.to_string()));
            let said = spot.say(&PAGE, headline, block(spot, &peer.path), "nothing of it is left");
            let said = said.why("the block matches no address at all, so the rule does nothing for it");
            found.push(said.help("narrow `except`, or delete the block"));
        }
    }
    found.sort();
    found.dedup();
    found
}
