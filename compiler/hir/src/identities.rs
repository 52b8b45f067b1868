//! How many identities labels make, and which of them no policy asks for.
//!
//! An identity is a set of labels: a label that no policy selects by, and whose values are many, multiplies identities for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::labels::{LabelSet, NAMESPACE, NAMESPACE_LABELS, RESERVED_PREFIX, Selector, Source};
use crate::policy::{L3, PeerSelector, Policy, Subjects};

/// One key of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCost {
    /// The key, as it stands in identities.
    pub key: String,
    /// Its different values, ascending.
    pub values: BTreeSet<String>,
    /// Identities that there would be fewer, were it left out alone.
    pub costs: usize,
}

/// Every key of some identities, the most costly first.
///
/// Cost: keys times identities.
pub fn keys(identities: &BTreeSet<&LabelSet>) -> Vec<KeyCost> {
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for label in identities.iter().flat_map(|it| it.iter()).filter(|label| label.source == Source::K8s) {
        values.entry(&label.key).or_default().insert(label.value.clone());
    }
    let costs = |key: &str| identities.len() - without(identities, &[key].into());
    let keys = values.into_iter().map(|(key, values)| KeyCost { key: key.to_owned(), costs: costs(key), values });
    let mut keys: Vec<KeyCost> = keys.collect();
    keys.sort_by_key(|it| (usize::MAX - it.costs, usize::MAX - it.values.len(), it.key.clone()));
    keys
}

/// The keys that may be left out because nobody selects by them, each of which saves identities beside those before it, and how many
/// identities are left.
pub fn needless<'k>(
    identities: &BTreeSet<&LabelSet>,
    keys: &'k [KeyCost],
    used: &BTreeMap<String, BTreeSet<String>>,
) -> (BTreeSet<&'k str>, usize) {
    let (mut gone, mut count) = (BTreeSet::new(), identities.len());
    for key in keys.iter().filter(|it| !used.contains_key(&it.key) && may_be_left_out(&it.key)) {
        let mut with = gone.clone();
        with.insert(key.key.as_str());
        let fewer = without(identities, &with);
        if fewer < count {
            (gone, count) = (with, fewer);
        }
    }
    (gone, count)
}

/// How many identities there are without the labels of some keys.
fn without(identities: &BTreeSet<&LabelSet>, gone: &BTreeSet<&str>) -> usize {
    let rest = |set: &&LabelSet| -> Vec<(String, String, String)> {
        let stays = set.iter().filter(|label| !gone.contains(label.key.as_str()));
        stays.map(|label| (label.source.to_string(), label.key.clone(), label.value.clone())).collect()
    };
    identities.iter().map(rest).collect::<BTreeSet<_>>().len()
}

/// The pattern of the agent's setting `labels` that leaves out one key and nothing else.
pub fn pattern(key: &str) -> String {
    format!("{}$", key.replace('.', "\\."))
}

/// Derived labels say where a pod is; a filter that leaves them out breaks more than policies.
fn may_be_left_out(key: &str) -> bool {
    let derived = key == NAMESPACE || key.starts_with(RESERVED_PREFIX);
    !derived || key.starts_with(NAMESPACE_LABELS) && key != format!("{NAMESPACE_LABELS}kubernetes.io/metadata.name")
}

/// Every key that policies select by, and which do.
pub fn used<'p>(policies: impl IntoIterator<Item = &'p Arc<Policy>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for policy in policies {
        let name = policy.object.to_string();
        let mut add = |selector: &Selector| {
            for requirement in selector.requirements() {
                used.entry(requirement.key.clone()).or_default().insert(name.clone());
            }
        };
        for section in &policy.sections {
            match &section.subjects {
                Subjects::Endpoints(selector) | Subjects::Nodes(selector) => add(selector),
            }
            section.requires.iter().for_each(|requires| add(&requires.selector));
            for entry in &section.entries {
                let L3::Any(peers) = &entry.l3 else { continue };
                for peer in peers {
                    match &peer.selector {
                        PeerSelector::Labels { selector, .. } => add(selector),
                        PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector) => add(selector),
                        _ => {}
                    }
                }
            }
        }
    }
    used
}
