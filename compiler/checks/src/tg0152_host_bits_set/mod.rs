//! An address block written with bits behind its length.

use diag::Diagnostic;
use flow::Prefix;
use hir::PeerSelector;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(152, "host-bits-set", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    // Why: of a NetworkPolicy the API server itself has a word to say.
    if !spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, _, peer) in spot.peers() {
        if !matches!(peer.selector, PeerSelector::Cidr { .. } | PeerSelector::CidrGroup { .. }) {
            continue;
        }
        let path = &peer.path;
        let mut places = vec![path.clone(), format!("{path}.cidr")];
        places.extend(spot.items(&format!("{path}.except")));
        found.extend(places.iter().filter_map(|place| check(spot, place)));
    }
    found.sort();
    found.dedup();
    found
}

fn check(spot: &Spot<'_>, path: &str) -> Option<Diagnostic> {
    let written = spot.string(path)?;
    let prefix = Prefix::parse(written)?;
    let (addr, len) = written.split_once('/')?;
    let addr: std::net::IpAddr = addr.parse().ok()?;
    if addr == prefix.addr() {
        return None;
    }
    let headline = format!("{} means {}", quoted(written), quoted(&prefix.to_string()));
    let said = spot.say(&PAGE, headline, spot.value(path), format!("the first {len} bits count"));
    let said = said.why(
        "what stands behind the length is cut off, so the block is wider than the one address that it seems to name",
    );
    either(spot, said, path, written, &prefix)
}

/// The two ways out of bits behind a length: the block, or the one address. `None` where the text is not the file's own.
pub fn either(spot: &Spot<'_>, said: Diagnostic, path: &str, written: &str, prefix: &Prefix) -> Option<Diagnostic> {
    let addr: std::net::IpAddr = written.split_once('/')?.0.parse().ok()?;
    let host = Prefix::host(addr).to_string();
    let said = said.help(format!(
        "write {} for the block, or {} for this one address",
        quoted(&prefix.to_string()),
        quoted(&host)
    ));
    let node = spot.node(path).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, span) = (spot.tree().raw(node), spot.tree().span(node));
    let fixes = [prefix.to_string(), host];
    Some(fixes.into_iter().fold(said, |said, text| {
        said.fix(replace(spot.text.id, span, raw.replace(written, &text), format!("write `{text}`")))
    }))
}
