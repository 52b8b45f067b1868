//! Keys and values of labels in selectors: those that somebody has whom the selector is about.

use std::collections::BTreeMap;

use checks::Population;
use hir::labels::NAMESPACE;

use super::population::{Whom, labels, namespaces, plain, whom};
use super::{Item, ItemKind, Site};
use crate::cursor::{Place, Step, Style, spell};
use crate::outline::SOURCES;

/// What the cursor is at in a selector.
enum Part<'c> {
    /// A key of `matchLabels`.
    Key,
    /// The `key` of a condition.
    KeyText,
    /// A value of this key.
    Value(&'c str),
}

/// Labels for the cursor's place; none where it is in no selector.
pub(super) fn items(site: &Site<'_>) -> Vec<Item> {
    let Some((part, selector)) = part(site) else { return Vec::new() };
    let Some(whom) = whom(site, selector) else { return Vec::new() };
    let population = Population::of(site.db);
    let counted = match part {
        Part::Value(key) if plain(key) == NAMESPACE || is_name(key, &whom) => {
            let all = namespaces(&population).into_iter();
            return all.map(|name| site.word(name, ItemKind::Namespace, "namespace")).collect();
        }
        Part::Value(key) => values(&population, &whom, key),
        Part::Key | Part::KeyText => keys(&population, &whom),
    };
    let there = site.cursor.siblings();
    let fresh = counted.into_iter().filter(|(text, _)| !there.iter().any(|it| it == text));
    // The source of a key that was typed stays.
    let source = SOURCES.into_iter().find(|it| site.cursor.word.starts_with(it)).unwrap_or_default();
    let fresh = fresh.map(|(text, many)| match part {
        Part::Value(_) => (text, many),
        Part::Key | Part::KeyText => (format!("{source}{text}"), many),
    });
    match part {
        Part::Value(_) => fresh.map(|(text, many)| value(site, &text, many, &whom)).collect(),
        Part::KeyText => {
            fresh.map(|(text, many)| Item { kind: ItemKind::LabelKey, ..value(site, &text, many, &whom) }).collect()
        }
        Part::Key => fresh.map(|(text, many)| key(site, &text, many, &whom)).collect(),
    }
}

/// Which part of which selector the cursor is at.
fn part<'c>(site: &'c Site<'_>) -> Option<(Part<'c>, &'c [Step])> {
    let cursor = site.cursor;
    let path = cursor.path.as_slice();
    let is = |step: &Step, name: &str| matches!(step, Step::Key(key) if key == name);
    let at = path.iter().rposition(|step| is(step, "matchLabels") || is(step, "matchExpressions"));
    let Some(at) = at else {
        // The selector of a Service is its labels.
        let own =
            path.iter().rposition(|step| is(step, "selector")).filter(|_| cursor.text("kind") == Some("Service"))?;
        return match &path[own + 1..] {
            [] if cursor.place != Place::Value => Some((Part::Key, &path[..=own])),
            [Step::Key(key)] => Some((Part::Value(key), &path[..=own])),
            _ => None,
        };
    };
    let selector = &path[..at];
    let part = match (is(&path[at], "matchLabels"), &path[at + 1..]) {
        (true, []) if cursor.place != Place::Value => Part::Key,
        (true, [Step::Key(key)]) if cursor.place == Place::Value => Part::Value(key),
        (false, [Step::Item(_), Step::Key(key)]) if key == "key" => Part::KeyText,
        (false, [Step::Item(_), Step::Key(key), ..]) if key == "values" => {
            Part::Value(cursor.text(&format!("{}.key", spell(&path[..at + 2])))?)
        }
        _ => return None,
    };
    Some((part, selector))
}

fn is_name(key: &str, whom: &Whom) -> bool {
    *whom == Whom::Namespaces && key == "kubernetes.io/metadata.name"
}

/// The keys with how many have them.
fn keys(population: &Population, whom: &Whom) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for key in labels(population, whom).into_iter().flat_map(|it| it.keys()) {
        *found.entry(key.clone()).or_default() += 1;
    }
    match whom {
        // Why: the API server gives every namespace this label.
        Whom::Namespaces => {
            found.insert("kubernetes.io/metadata.name".into(), namespaces(population).len());
        }
        _ => found.retain(|key, _| !MADE.contains(&key.as_str())),
    }
    found
}

/// Labels that differ from one run of a workload to the next.
const MADE: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "pod-template-generation"];

/// The values of a key with how many have them.
fn values(population: &Population, whom: &Whom, key: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for value in labels(population, whom).into_iter().filter_map(|it| it.get(plain(key))) {
        *found.entry(value.clone()).or_default() += 1;
    }
    found
}

fn value(site: &Site<'_>, text: &str, many: usize, whom: &Whom) -> Item {
    Item { sort: order(many, text), ..site.word(text, ItemKind::LabelValue, count(many, whom)) }
}

fn key(site: &Site<'_>, text: &str, many: usize, whom: &Whom) -> Item {
    let is_new = site.cursor.place == Place::Start;
    let space = if site.cursor.style == Style::Flow && site.cursor.quoted { "" } else { ": $1" };
    let mut item = site.word(text, ItemKind::LabelKey, count(many, whom));
    item.sort = order(many, text);
    if is_new {
        item.insert = format!("{}{space}", item.insert);
        item.is_snippet = !space.is_empty();
    }
    item
}

/// The more have it, the earlier it comes.
fn order(many: usize, text: &str) -> String {
    format!("2{:06}{text}", 999_999 - many.min(999_999))
}

fn count(many: usize, whom: &Whom) -> String {
    let noun = match whom {
        Whom::Pods(_) => "pod",
        Whom::Namespaces => "namespace",
        Whom::Nodes => "node",
        Whom::Services(_) => "service",
        Whom::Groups => "group",
    };
    format!("{many} {noun}{}", if many == 1 { "" } else { "s" })
}
