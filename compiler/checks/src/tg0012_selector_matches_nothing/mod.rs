//! A selector that selects no known pod.

use diag::{Diagnostic, Fix};
use hir::{L3, PeerSelector, Requirement, Selector, Subjects};
use syntax::{Entry, Value};

use crate::cover;
use crate::find::{Finder, Known, is_of_pods};
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0145_unknown_namespace::unknown;
use crate::words::{condition, counted, listed, nearest, quoted, replace};

pub const PAGE: Page = page!(12, "selector-matches-nothing", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let Some(policy) = &spot.policy else { return Vec::new() };
    let mut found = Vec::new();
    for section in &policy.sections {
        if let Subjects::Endpoints(selector) = &section.subjects {
            let field = ["podSelector", "endpointSelector"].into_iter();
            let path = field.map(|field| format!("{}.{field}", section.path)).find(|path| spot.node(path).is_some());
            found.extend(path.and_then(|path| check(spot, finder, selector, &path, SUBJECT)));
        }
        for entry in &section.entries {
            let L3::Any(peers) = &entry.l3 else { continue };
            for peer in peers {
                if let PeerSelector::Labels { selector, everywhere: false } = &peer.selector {
                    found.extend(check(spot, finder, selector, &peer.path, PEER));
                }
            }
        }
    }
    found
}

const SUBJECT: &str = "the policy isolates nobody and its rules are about nobody; a mistyped label leaves pods open \
    that were meant to be closed";
const PEER: &str =
    "the rule matches nobody by this selector: what it should allow is dropped, what it should deny is not";

fn check(spot: &Spot<'_>, finder: &Finder, selector: &Selector, path: &str, why: &str) -> Option<Diagnostic> {
    let written: Vec<&Requirement> = selector.requirements().iter().filter(|it| is_of_pods(it)).collect();
    // Why: these have codes of their own.
    if cover::contradiction(selector).is_some() || unknown(finder, selector).is_some() {
        return None;
    }
    // Why: a selector without conditions on pods means whatever pods a namespace will have, also none.
    let known = finder.known(selector).filter(|_| !written.is_empty())?;
    if finder.matching(selector).next().is_some() {
        return None;
    }
    let conditions: Vec<String> = written.iter().map(|it| condition(it)).collect();
    let place = match known.namespaces().count() {
        0 => String::new(),
        1 => format!(" in namespace {}", listed(known.namespaces(), "and")),
        _ => format!(" in namespaces {}", listed(known.namespaces(), "and")),
    };
    let said = PAGE.says(format!("no pod{place} matches {}", quoted(&conditions.join(", "))));
    let told = known.namespaces().all(|namespace| finder.is_described(namespace));
    let Some((requirement, entry)) = culprit(spot, &written, &known, path) else {
        if !told {
            return None;
        }
        return Some(help(spot.blame(said, spot.key(path), "selects no pod").why(why), &known));
    };
    let values = known.values(&requirement.key);
    let raw = spot.tree().raw(entry.value);
    let span = spot.tree().span(entry.value);
    let written = raw.trim_matches(['"', '\'']);
    let said = spot.blame(said, span, "no pod has this").why(why);
    match nearest(written, values.iter().copied()).filter(|_| spot.is_own_scalar(entry.value)) {
        Some(near) => {
            Some(said.help(format!("did you mean {}?", quoted(near))).fix(correction(spot, entry, raw, written, near)))
        }
        None if !told => None,
        None if values.is_empty() => Some(help(said, &known)),
        None => {
            let seen = listed(values.iter().take(8).copied(), "and");
            Some(said.help(format!("values of {} there: {seen}", quoted(&requirement.key))))
        }
    }
}

fn correction(spot: &Spot<'_>, entry: Entry, raw: &str, written: &str, near: &str) -> Fix {
    let text = raw.replace(written, near);
    replace(spot.text.id, spot.tree().span(entry.value), text, format!("write `{near}`"))
}

fn help(said: Diagnostic, known: &Known<'_>) -> Diagnostic {
    said.help(format!(
        "{} known there; compare the selector with their labels",
        counted(known.pods().count(), "pod or workload")
    ))
}

/// The first label of the selector that no known pod has, as it is written.
fn culprit<'r>(
    spot: &Spot<'_>,
    written: &[&'r Requirement],
    known: &Known<'_>,
    path: &str,
) -> Option<(&'r Requirement, Entry)> {
    let alone = written.iter().find(|it| !known.any(it))?;
    let labels = [path.to_owned(), format!("{path}.podSelector")].into_iter().map(|path| format!("{path}.matchLabels"));
    let entries = labels.filter_map(|labels| spot.node(&labels)).flat_map(|labels| spot.tree().entries(labels));
    let is_key = |key: &str| key == alone.key || key.split_once(':').is_some_and(|(_, key)| key == alone.key);
    let has_text = |entry: &&Entry| matches!(spot.tree().value(entry.value), Value::Str(_));
    let entry = entries.filter(|entry| is_key(&spot.tree().key(entry.key))).find(has_text)?;
    Some((alone, *entry))
}
