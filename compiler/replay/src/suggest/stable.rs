//! Which labels of a pod will still be there tomorrow, and how few of them tell a workload from its neighbours.

use facts::Labels;
use std::collections::{BTreeMap, BTreeSet};

/// Labels in the order in which people name an application by them.
const PREFERRED: [&str; 6] = [
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "component",
];

/// Labels that change with each release or each run, beside those that take no part in identities.
const PASSING: [&str; 12] = [
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
    "chart",
    "heritage",
    "release-revision",
    "version",
    "revision",
    "job-name",
    "batch.kubernetes.io/job-name",
    "pod-name",
    "date",
];

/// A workload as policies select it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// Its namespace.
    pub namespace: String,
    /// The labels that tell it from others; never empty.
    pub labels: BTreeMap<String, String>,
}

impl Workload {
    /// What people call it: the value of the label that comes first in order of use.
    pub fn name(&self) -> &str {
        let preferred = PREFERRED.iter().find_map(|key| self.labels.get(*key));
        preferred.or_else(|| self.labels.values().next()).map_or("workload", String::as_str)
    }
}

/// Whether a label is of a workload and not of one pod, one run or one release.
pub fn is_stable(key: &str, value: &str) -> bool {
    hir::filter::takes_part(key) && !PASSING.contains(&key) && !is_generated(value)
}

/// Whether a value looks made by a program: a hash, a UUID, a time, a long number.
pub fn is_generated(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let hex = value.bytes().filter(|byte| byte.is_ascii_hexdigit() || *byte == b'-').count();
    let long = value.len() >= 8;
    long && (digits == value.len() || hex == value.len() && digits > 0)
}

/// For pods of one namespace, each with the name of what made it, the labels that select it and no other.
///
/// Shape: for each pod `None` where it has no stable label. Where two workloads have the same stable labels both are selected.
pub fn selectors(pods: &[(&str, &Labels)]) -> Vec<Option<BTreeMap<String, String>>> {
    let mut memo = BTreeMap::new();
    let mut out = Vec::with_capacity(pods.len());
    for (workload, labels) in pods {
        let stable: Vec<(&str, &str)> = labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, value)| is_stable(key, value))
            .collect();
        let made = memo.entry((workload, stable.clone())).or_insert_with(|| selector(workload, &stable, pods));
        out.push(made.clone());
    }
    out
}

fn selector(workload: &str, stable: &[(&str, &str)], pods: &[(&str, &Labels)]) -> Option<BTreeMap<String, String>> {
    let rank = |key: &str| PREFERRED.iter().position(|known| *known == key).unwrap_or(PREFERRED.len());
    // Why not what some pods of the workload lack: a policy is about all of them.
    let of_workload = || pods.iter().filter(|(other, _)| *other == workload);
    let on_all = |(key, value): &&(&str, &str)| {
        of_workload().all(|(_, labels)| labels.get(*key).is_none_or(|other| other == value))
    };
    let mut candidates: Vec<(&str, &str)> = stable.iter().filter(on_all).copied().collect();
    if candidates.is_empty() {
        candidates = stable.to_vec();
    }
    candidates.sort_by_key(|(key, _)| (rank(key), *key));
    let mut chosen: BTreeMap<String, String> = BTreeMap::new();
    let others = |chosen: &BTreeMap<String, String>| -> BTreeSet<&str> {
        let selected = |labels: &Labels| chosen.iter().all(|(key, value)| labels.get(key) == Some(value));
        pods.iter().filter(|(other, labels)| *other != workload && selected(labels)).map(|(other, _)| *other).collect()
    };
    for (key, value) in candidates {
        let before = others(&chosen).len();
        let mut with = chosen.clone();
        with.insert(key.to_owned(), value.to_owned());
        if chosen.is_empty() || others(&with).len() < before {
            chosen = with;
        }
        if others(&chosen).is_empty() {
            break;
        }
    }
    (!chosen.is_empty()).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(parts: &[(&str, &str)]) -> Labels {
        parts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_fewest_labels_that_tell_a_workload_from_its_neighbours_are_taken() {
        let front = labels(&[("app", "shop"), ("tier", "front"), ("pod-template-hash", "7d4b9c6f5b")]);
        let back = labels(&[("app", "shop"), ("tier", "back"), ("pod-template-hash", "6c5f9d7b64")]);
        let cache = labels(&[("app", "cache"), ("tier", "back")]);
        let found = selectors(&[("front", &front), ("back", &back), ("cache", &cache)]);
        let wanted = |parts: &[(&str, &str)]| Some(labels(parts));
        assert_eq!(found[0], wanted(&[("app", "shop"), ("tier", "front")]));
        assert_eq!(found[2], wanted(&[("app", "cache")]));
    }

    #[test]
    fn what_a_program_made_up_is_not_stable() {
        assert!(is_stable("app", "web"));
        assert!(is_stable("app", "deadbeef-cafe"), "no digit, so perhaps a word");
        for (key, value) in
            [("pod-template-hash", "x"), ("run", "20260301"), ("id", "3fa85f64-5717-4562-b3fc"), ("version", "2")]
        {
            assert!(!is_stable(key, value), "{key}={value}");
        }
    }
}
