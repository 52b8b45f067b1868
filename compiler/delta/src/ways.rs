//! Labels that meet selectors, and which selectors meet labels.

use hir::labels::{self, LabelSet, Operator, Requirement, Selector, Source};
use std::collections::BTreeMap;

/// How many ways to satisfy one selector are supposed at most.
const WAYS: usize = 16;

/// Which of some selectors select whoever carries some labels.
pub(crate) struct Judge<'s> {
    /// By the one namespace that they ask for; the others under none.
    selectors: BTreeMap<Option<&'s str>, Vec<(u32, &'s Selector)>>,
}

impl<'s> Judge<'s> {
    pub fn of(all: impl Iterator<Item = &'s Selector>) -> Judge<'s> {
        let mut selectors: BTreeMap<Option<&str>, Vec<(u32, &Selector)>> = BTreeMap::new();
        for (at, selector) in (0..).zip(all) {
            let one = |it: &'s Requirement| match &it.operator {
                Operator::In(values) if values.len() == 1 && it.key == labels::NAMESPACE => Some(values[0].as_str()),
                _ => None,
            };
            let namespace = selector.requirements().iter().find_map(one);
            selectors.entry(namespace).or_default().push((at, selector));
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

/// Labels, by the keys of identities.
pub(crate) type Way = BTreeMap<String, String>;

/// Labels that meet two selectors at once; `None` where they ask for two values of one key, or one asks for nothing beyond the other.
pub(crate) fn both(one: &Way, other: &Way) -> Option<Way> {
    let agree = other.iter().all(|(key, value)| one.get(key).is_none_or(|it| it == value));
    let mut way = one.clone();
    way.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
    (agree && way != *one && way != *other).then_some(way)
}

/// Labels that meet a selector, the plainest first, then some that fail one of its conditions alone. Keys are those of identities; labels
/// that no pod has make none.
pub(crate) fn ways(selector: &Selector) -> Vec<Way> {
    let of_pods = |it: &&Requirement| matches!(it.source, None | Some(Source::K8s));
    let requirements: Vec<&Requirement> = selector.requirements().iter().filter(of_pods).collect();
    if requirements.len() < selector.requirements().len() {
        return Vec::new();
    }
    let mut ways = vec![BTreeMap::new()];
    for requirement in &requirements {
        let values: Vec<String> = match &requirement.operator {
            Operator::In(values) => values.clone(),
            // Every pod has a namespace.
            Operator::Exists if requirement.key == labels::NAMESPACE => continue,
            Operator::Exists => vec!["any".to_owned()],
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
    let plain = ways[0].clone();
    for requirement in &requirements {
        let value = match &requirement.operator {
            Operator::NotIn(values) => values.first().cloned(),
            Operator::DoesNotExist => Some("any".to_owned()),
            Operator::In(_) | Operator::Exists => None,
        };
        ways.extend(value.map(|value| {
            let mut way = plain.clone();
            way.insert(requirement.key.clone(), value);
            way
        }));
    }
    ways
}
