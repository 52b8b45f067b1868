//! An entity beside another one that holds it.

use diag::Diagnostic;
use hir::{Entity, L3, PeerSelector};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::splice::without_item;
use crate::words::quoted;

pub const PAGE: Page = page!(174, "entity-within-entity", Hint, "0.1.0", Style);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        let L3::Any(peers) = &entry.l3 else { continue };
        let entities = || peers.iter().filter(|peer| matches!(peer.selector, PeerSelector::Entity(_)));
        for inner in entities() {
            let wide = entities()
                .find(|wide| wide.selector != inner.selector && cover::peers(&wide.selector, &inner.selector));
            let (Some(wide), PeerSelector::Entity(entity)) = (wide, &inner.selector) else { continue };
            let PeerSelector::Entity(around) = &wide.selector else { continue };
            let headline =
                format!("{} is part of {}, which stands beside it", quoted(name(*entity)), quoted(name(*around)));
            let said = spot.say(&PAGE, headline, spot.value(&inner.path), "adds nothing");
            let said = said.note(spot.text.id, spot.value(&wide.path), "holds it");
            let said = said.why("elements of a list are alternatives, so the wider entity decides");
            let said =
                said.help(format!("delete {}, or delete the wider one if that was not meant", quoted(name(*entity))));
            let fix = without_item(spot, &inner.path, format!("delete `{}`", name(*entity)));
            found.push(fix.into_iter().fold(said, Diagnostic::fix));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn name(entity: Entity) -> &'static str {
    Entity::ALL.iter().find(|(_, known)| *known == entity).map_or("", |(name, _)| name)
}
