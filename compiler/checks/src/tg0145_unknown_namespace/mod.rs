//! A peer in a namespace that does not exist.

use diag::Diagnostic;
use hir::labels::NAMESPACE_LABELS;
use hir::labels::Requirement;
use hir::{Operator, Selector};

use crate::find::{Finder, is_name};
use crate::page::{Page, page};
use crate::place::{Spot, Written};
use crate::words::{listed, quoted, replace};

pub const PAGE: Page = page!(145, "unknown-namespace", Warning, "0.1.0", Correctness);

/// A condition that no namespace meets.
pub(crate) struct Unknown {
    key: String,
    value: String,
    near: Option<String>,
}

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let selectors = spot.selectors();
    let peers = selectors.iter().filter(|it| !it.is_subject);
    let found = |it: &Written<'_>| unknown(finder, it.selector).or_else(|| slip(finder, it.selector));
    peers.filter_map(|it| Some(render(spot, it, found(it)?))).collect()
}

/// The condition of a selector that no namespace meets, where that is sure.
pub(crate) fn unknown(finder: &Finder, selector: &Selector) -> Option<Unknown> {
    let of = |requirement: &Requirement| {
        let Operator::In(values) = &requirement.operator else { return None };
        let all: Option<Vec<Unknown>> = values.iter().map(|value| nobodys(finder, requirement, value)).collect();
        all?.into_iter().next()
    };
    selector.requirements().iter().find_map(of)
}

/// A value among several that is surely a slip, so that the others alone are met.
fn slip(finder: &Finder, selector: &Selector) -> Option<Unknown> {
    let of = |requirement: &Requirement| {
        let Operator::In(values) = &requirement.operator else { return None };
        values.iter().filter_map(|value| nobodys(finder, requirement, value)).find(|it| it.near.is_some())
    };
    selector.requirements().iter().find_map(of)
}

/// A value of a condition, where it is sure that no namespace has it.
fn nobodys(finder: &Finder, requirement: &Requirement, value: &str) -> Option<Unknown> {
    let known = &finder.cluster.namespaces;
    if known.is_empty() {
        return None;
    }
    let said = |near: Option<String>| Unknown { key: requirement.key.clone(), value: value.to_owned(), near };
    if requirement.key == hir::labels::NAMESPACE || is_name(requirement) {
        let near = || known.keys().find(|name| is_slip(value, name)).cloned();
        let near = (!finder.has_namespace(value)).then(near)?;
        return (finder.complete || near.is_some() || finder.lists_namespaces()).then(|| said(near));
    }
    let key = requirement.key.strip_prefix(NAMESPACE_LABELS)?;
    let has = |labels: Option<&String>| labels.is_some_and(|it| it == value);
    (finder.complete && !known.values().any(|namespace| has(namespace.labels.get(key)))).then(|| said(None))
}

/// Whether one word of two names differs by one slip of the finger. Why so narrow: `team-a` and `team-b` are both right.
fn is_slip(written: &str, name: &str) -> bool {
    let differ: Vec<(&str, &str)> = written.split('-').zip(name.split('-')).filter(|(a, b)| a != b).collect();
    let [(one, other)] = differ.as_slice() else { return false };
    let is_word = |word: &str| word.len() >= 5 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let same_count = written.split('-').count() == name.split('-').count();
    same_count && is_word(one) && is_word(other) && strsim::osa_distance(one, other) == 1
}

fn render(spot: &Spot<'_>, written: &Written<'_>, unknown: Unknown) -> Diagnostic {
    let Unknown { key, value, near } = unknown;
    let (key, headline) = match key.strip_prefix(NAMESPACE_LABELS) {
        Some(label) if label != "kubernetes.io/metadata.name" => {
            (label.to_owned(), format!("no namespace is labelled {}", quoted(&format!("{label}={value}"))))
        }
        Some(label) => (label.to_owned(), format!("there is no namespace {}", quoted(&value))),
        None => (key, format!("there is no namespace {}", quoted(&value))),
    };
    let holders = [format!("{}.namespaceSelector", written.path), written.path.clone()];
    let place = holders.iter().find_map(|path| spot.label_value(path, &key));
    let span = place.map_or_else(|| spot.condition(&written.path, &key), |node| spot.tree().span(node));
    let said = spot.say(&PAGE, headline, span, "unknown here");
    let said = said.why("the peer is in a namespace that does not exist, so the rule does nothing for it");
    let Some(near) = near else {
        return said.help("name a namespace that exists, or create and label it before the policy is applied");
    };
    let said = said.help(format!("did you mean {}?", listed([near.as_str()], "or")));
    match place.filter(|node| spot.is_own_scalar(*node)) {
        Some(node) => {
            let text = spot.tree().raw(node).replace(&value, &near);
            said.fix(replace(spot.text.id, span, text, format!("write `{near}`")))
        }
        None => said,
    }
}
