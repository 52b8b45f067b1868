//! Proxy rules that a wider rule of the same policy makes empty.

use diag::Diagnostic;
use hir::{Effect, Entry, L4, Section};
use request::Rules;

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0170_deny_cancels_outside_allow::rule;
use crate::words::quoted;

pub const PAGE: Page = page!(173, "proxy-rules-opened", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (section, entry) in spot.rules().filter(|(_, entry)| entry.effect == Effect::Allow) {
        // Why: agents differ on whether an allow beside DNS rules widens them.
        let Some(l7) = entry.l7.as_ref().filter(|l7| matches!(l7.requests.rules, Rules::Http(_) | Rules::Kafka(_)))
        else {
            continue;
        };
        if let Some(wide) = opener(spot, section, entry) {
            let headline = format!("{} lets every request through that these rules restrict", quoted(rule(wide)));
            let place = spot.key(&l7.path);
            let said = spot.say(&PAGE, headline, place, "restricts nothing");
            let said = said.note(spot.text.id, spot.key(rule(wide)), "the same peers and port, without rules");
            let said = said
                .why("rules are alternatives: a request passes when one rule lets it, and this one lets all of them");
            found.push(said.help("delete the wider rule, or leave this port or these peers out of it"));
        }
    }
    found
}

/// A rule for the same subjects that allows the same peers and ports without a proxy.
fn opener<'s>(spot: &'s Spot<'_>, section: &Section, entry: &Entry) -> Option<&'s Entry> {
    let mut others = spot.rules().filter(|(other, _)| other.subjects == section.subjects).map(|(_, other)| other);
    others.find(|other| {
        other.direction == entry.direction
            && other.effect == Effect::Allow
            && (other.tier, other.order) == (entry.tier, entry.order)
            && other.l7.is_none()
            && cover::l3(&other.l3, &entry.l3)
            && is_as_wide(&other.l4, &entry.l4)
    })
}

/// Whether one side has every port, or the very items of the other. Why: where ranges differ, the narrower one keeps its proxy rules.
fn is_as_wide(wide: &L4, narrow: &L4) -> bool {
    match (wide, narrow) {
        (L4::Unrestricted, _) => true,
        (L4::Items(wide), L4::Items(narrow)) => {
            narrow.iter().all(|one| wide.iter().any(|other| other.ports == one.ports))
        }
        (L4::Items(_), L4::Unrestricted) => false,
    }
}
