//! A name pattern without `*`.

use diag::Diagnostic;
use hir::{Parser, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(164, "pattern-without-star", Hint, "0.1.0", Style);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let names = spot.peers().filter(|(_, _, peer)| matches!(peer.selector, PeerSelector::Fqdn(_)));
    let mut places: Vec<String> = names.map(|(_, _, peer)| peer.path.clone()).collect();
    for (_, entry) in spot.rules() {
        if entry.l7.as_ref().is_some_and(|l7| l7.parser == Parser::Dns) {
            places.extend(spot.items(&format!("{}.rules.dns", entry.path)));
        }
    }
    places.sort();
    places.dedup();
    places.iter().filter_map(|path| check(spot, path)).collect()
}

fn check(spot: &Spot<'_>, path: &str) -> Option<Diagnostic> {
    let pattern = spot.string(&format!("{path}.matchPattern")).filter(|it| !it.contains('*') && !it.is_empty())?;
    let headline = format!("the pattern {} has no `*`, so it is one name", quoted(pattern));
    let span = spot.key(&format!("{path}.matchPattern"));
    let said = spot.say(&PAGE, headline, span, "a name, not a pattern");
    let said =
        said.why("it matches this name alone; names below it, such as those that begin with `www.`, are not matched");
    let said = said.help("write `matchName`, or put `*.` before it to mean the names below");
    match span.slice(spot.tree().text()) == "matchPattern" && spot.node(&format!("{path}.matchName")).is_none() {
        true => Some(said.fix(replace(spot.text.id, span, "matchName", "write `matchName`"))),
        false => Some(said),
    }
}
