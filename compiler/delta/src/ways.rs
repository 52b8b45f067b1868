//! Labels that meet selectors, and which selectors meet labels.

use hir::labels::{self, LabelSet, Operator, Requirement, Selector, Source};
use std::collections::{BTreeMap, BTreeSet};

/// How many ways to satisfy one selector with all of its values together are supposed at most.
const WAYS: usize = 16;
/// A value of a label that may have any.
const ANY: &str = "any";

/// Which of some selectors select whoever carries some labels.
pub(crate) struct Judge<'s> {
    /// By the one namespace that they ask for; the others under none.
    selectors: BTreeMap<Option<&'s str>, Vec<(u32, &'s Selector)>>,
}

impl<'s> Judge<'s> {
    pub fn of(all: impl Iterator<Item = &'s Selector>) -> Judge<'s> {
        let mut selectors: BTreeMap<Option<&str>, Vec<(u32, &Selector)>> = BTreeMap::new();
        for (at, selector) in (0..).zip(all) {
            selectors.entry(namespace_of(selector)).or_default().push((at, selector));
        }
        Judge { selectors }
    }

    pub fn selected_by(&self, labels: &LabelSet) -> Vec<u32> {
        let own = labels.get(Some(&Source::K8s), labels::NAMESPACE).and_then(|own| self.selectors.get(&Some(own)));
        let all = own.into_iter().chain(self.selectors.get(&None)).flatten();
        let mut found: Vec<u32> = all.filter(|(_, it)| it.matches(labels)).map(|(at, _)| *at).collect();
        found.sort_unstable();
        found
    }
}

/// The one namespace that a selector asks for; `None` where it leaves that open.
pub(crate) fn namespace_of(selector: &Selector) -> Option<&str> {
    selector.requirements().iter().find_map(|it| match &it.operator {
        Operator::In(values) if values.len() == 1 && it.key == labels::NAMESPACE => Some(values[0].as_str()),
        _ => None,
    })
}

/// Labels, by the keys of identities.
pub(crate) type Way = BTreeMap<String, String>;

/// Labels that meet a selector, the plainest first: some of all of its values together, and each of its values alone; then some that fail one
/// of its conditions alone, with each value that it excludes. Keys are those of identities; labels that no pod has make none.
pub(crate) fn ways(selector: &Selector) -> Vec<Way> {
    ways_of(selector, &Source::K8s)
}

/// The same of what has labels of another source.
pub(crate) fn ways_of(selector: &Selector, source: &Source) -> Vec<Way> {
    let of_source = |it: &&Requirement| it.source.as_ref().is_none_or(|it| it == source);
    let requirements: Vec<&Requirement> = selector.requirements().iter().filter(of_source).collect();
    if requirements.len() < selector.requirements().len() {
        return Vec::new();
    }
    let mut ways = together(&requirements);
    let Some(plain) = ways.first().cloned() else { return ways };
    let mut seen: BTreeSet<Way> = ways.iter().cloned().collect();
    for requirement in &requirements {
        let values: &[String] = match &requirement.operator {
            Operator::In(values) | Operator::NotIn(values) => values,
            Operator::DoesNotExist => &[ANY.to_owned()],
            Operator::Exists => &[],
        };
        for value in values {
            let mut way = plain.clone();
            way.insert(requirement.key.clone(), value.clone());
            if seen.insert(way.clone()) {
                ways.push(way);
            }
        }
    }
    ways
}

/// Labels that meet all conditions, at most [`WAYS`]; none where a condition has no value that meets it.
fn together(requirements: &[&Requirement]) -> Vec<Way> {
    let mut ways = vec![Way::new()];
    for requirement in requirements {
        let values: &[String] = match &requirement.operator {
            Operator::In(values) => values,
            // Every pod has a namespace.
            Operator::Exists if requirement.key == labels::NAMESPACE => continue,
            Operator::Exists => &[ANY.to_owned()],
            Operator::NotIn(_) | Operator::DoesNotExist => continue,
        };
        let wider = ways.iter().flat_map(|way| {
            values.iter().map(move |value| {
                let mut way: Way = way.clone();
                way.insert(requirement.key.clone(), value.clone());
                way
            })
        });
        ways = wider.take(WAYS).collect();
    }
    ways
}
