//! A rule that stands twice.

use std::collections::BTreeMap;

use diag::Diagnostic;
use hir::{Entry, L3, L4, Policy};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::splice::without_item;
use crate::tg0170_deny_cancels_outside_allow::rule;
use crate::words::quoted;

pub const PAGE: Page = page!(175, "rule-twice", Hint, "0.1.0", Style);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let twice = spot.policy.iter().flat_map(|policy| twice(policy));
    twice.map(|(path, earlier)| render(spot, path, earlier)).collect()
}

/// The rules of a policy that stand twice in a section, each with the first of them.
pub(crate) fn twice(policy: &Policy) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for section in &policy.sections {
        let mut rules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for entry in &section.entries {
            rules.entry(rule(entry)).or_default().push(content(entry));
        }
        let mut first: BTreeMap<Vec<String>, &str> = BTreeMap::new();
        let mut paths: Vec<(&str, Vec<String>)> = rules.into_iter().collect();
        // Why: `[10]` comes after `[9]`.
        paths.sort_by_key(|(path, _)| (path.len(), *path));
        for (path, mut content) in paths {
            content.sort();
            match first.get(&content) {
                Some(earlier) => found.push((path, *earlier)),
                None => drop(first.insert(content, path)),
            }
        }
    }
    found
}

/// What an entry says, without where it says it.
fn content(entry: &Entry) -> String {
    let l3 = match &entry.l3 {
        L3::Any(peers) => {
            let mut all: Vec<String> = peers.iter().map(|peer| format!("{:?}", peer.selector)).collect();
            all.sort();
            all.join("|")
        }
        other => format!("{other:?}"),
    };
    let l4 = match &entry.l4 {
        L4::Items(items) => {
            let mut all: Vec<String> = items.iter().map(|item| format!("{:?}", item.ports)).collect();
            all.sort();
            all.join("|")
        }
        L4::Unrestricted => "any".to_owned(),
    };
    let l7 = entry.l7.as_ref().map(|l7| (&l7.parser, &l7.requests, &l7.terminating, &l7.originating, l7.priority));
    format!(
        "{:?} {:?} {:?} {} {l3} {l4} {l7:?} {:?}",
        entry.direction, entry.effect, entry.tier, entry.order, entry.auth
    )
}

fn render(spot: &Spot<'_>, path: &str, earlier: &str) -> Diagnostic {
    let headline = format!("{} says the same as {}", quoted(path), quoted(earlier));
    let said = spot.say(&PAGE, headline, spot.key(path), "adds nothing");
    let said = said.note(spot.text.id, spot.key(earlier), "says it already");
    let said = said
        .why("the order of rules means nothing, so the second one has no effect; often a copied rule was to be changed")
        .help("delete it, or change what was to be different");
    without_item(spot, path, "delete the second rule").into_iter().fold(said, Diagnostic::fix)
}
