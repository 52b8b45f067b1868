//! Labels for every way in which selectors can meet on one pod.

use crate::ways::Way;
use hir::labels::{self, LabelSet, Operator, Requirement, Selector, Source};
use std::collections::BTreeSet;

/// How many ways are followed at most; the plainest ones are.
const MOST: usize = 256;

/// A selector, and whether it is one that changed.
pub(super) type Asked<'s> = (&'s Selector, bool);

/// Labels of a pod, beyond those of its namespace, for each set of selectors that a pod there can meet together and of which one changed:
/// the plainest labels of each set, those with few labels first; and whether these are all.
///
/// Cost: for each key, what is followed times what is asked of the key.
pub(super) fn atoms(namespace: &LabelSet, asked: &[Asked<'_>]) -> (Vec<Way>, bool) {
    let may_meet = |(selector, _): &&Asked<'_>| {
        selector.requirements().iter().all(|it| if is_of_pod(it) { is_of_k8s(it) } else { it.matches(namespace) })
    };
    let asked: Vec<&Asked<'_>> = asked.iter().filter(may_meet).collect();
    let everybody: Vec<usize> = (0..asked.len()).collect();
    let mut followed = vec![(Way::new(), everybody)];
    let mut are_all = true;
    for key in keys(&asked) {
        let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
        let mut next = Vec::new();
        for (way, met) in &followed {
            for value in values(key, met.iter().map(|at| asked[*at].0)) {
                if next.len() == MOST {
                    are_all = false;
                    break;
                }
                let meets = |at: &usize| of_key(asked[*at].0, key).all(|it| it.operator.holds(value.as_deref()));
                let met: Vec<usize> = met.iter().copied().filter(meets).collect();
                // Why not others: whom no changed selector selects, nothing changes for but what changes for everybody.
                if met.iter().any(|at| asked[*at].1) && seen.insert(met.clone()) {
                    let mut way = way.clone();
                    way.extend(value.map(|value| (key.to_owned(), value)));
                    next.push((way, met));
                }
            }
        }
        followed = next;
    }
    let mut ways: Vec<Way> = followed.into_iter().map(|(way, _)| way).collect();
    ways.sort_by_key(Way::len);
    (ways, are_all)
}

/// Whether a requirement is about a pod's own labels or account, and not about its namespace or cluster.
fn is_of_pod(requirement: &Requirement) -> bool {
    let key = requirement.key.as_str();
    key == labels::SERVICE_ACCOUNT || !key.starts_with(labels::RESERVED_PREFIX) && key != labels::NAMESPACE
}

fn is_of_k8s(requirement: &Requirement) -> bool {
    requirement.source.as_ref().is_none_or(|it| *it == Source::K8s)
}

/// The keys that selectors ask for, those of changed ones first: they leave the fewest ways to follow.
fn keys<'s>(asked: &[&Asked<'s>]) -> Vec<&'s str> {
    let mut keys: Vec<&str> = Vec::new();
    for wanted in [true, false] {
        let some = asked.iter().filter(|(_, changed)| *changed == wanted);
        let some = some.flat_map(|(selector, _)| selector.requirements()).filter(|it| is_of_pod(it));
        let some: BTreeSet<&str> = some.map(|it| it.key.as_str()).collect();
        keys.extend(some.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>());
    }
    keys
}

fn of_key<'s>(selector: &'s Selector, key: &str) -> impl Iterator<Item = &'s Requirement> {
    selector.requirements().iter().filter(move |it| it.key == key)
}

/// The values of a key that selectors tell apart: none, each that they list, and one that they do not.
fn values<'s>(key: &str, selectors: impl Iterator<Item = &'s Selector>) -> Vec<Option<String>> {
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    let mut is_asked = false;
    for requirement in selectors.flat_map(|it| it.requirements()).filter(|it| it.key == key) {
        is_asked = true;
        if let Operator::In(values) | Operator::NotIn(values) = &requirement.operator {
            listed.extend(values.iter().map(String::as_str));
        }
    }
    if !is_asked {
        return vec![None];
    }
    let other = (0..).map(|number| if number == 0 { "any".to_owned() } else { format!("any-{number}") });
    let other = other.into_iter().find(|it| !listed.contains(it.as_str()));
    std::iter::once(None).chain(listed.into_iter().map(|it| Some(it.to_owned()))).chain(other.map(Some)).collect()
}
