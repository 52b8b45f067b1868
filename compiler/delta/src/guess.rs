//! What may be so where facts were not read: each guess is compared as a world of its own.

use crate::side::Side;
use crate::suppose::{differing, put_behind, unread};
use facts::{Namespace, Service};
use hir::policy::{L3, PeerSelector, Subjects};
use hir::{Operator, Selector, labels};
use std::collections::{BTreeMap, BTreeSet};

/// How many guesses of a sort are tried at most.
const GUESSES: usize = 12;

/// Something that may be so and was not read.
pub(crate) enum Guess {
    /// Namespaces whose objects were not read have these labels.
    Labels { namespaces: BTreeSet<String>, labels: BTreeMap<String, String> },
    /// A service stands for every pod of its namespace.
    Behind(Box<Service>),
}

/// What may be so: one guess for each set of namespace labels that a policy asks for which is not the same on both sides, and one for each
/// service that it asks for.
pub(crate) fn guesses(old: &Side, new: &Side) -> Vec<Guess> {
    if !old.partial && !new.partial {
        return Vec::new();
    }
    let services =
        unread(old, new, &differing(old, new)).into_iter().take(GUESSES).map(|it| Guess::Behind(Box::new(it)));
    of_namespaces(old, new).into_iter().chain(services).collect()
}

fn of_namespaces(old: &Side, new: &Side) -> Vec<Guess> {
    let unread = |side: &Side| -> BTreeSet<String> {
        let pods = side.cluster.pods.keys().chain(side.cluster.workloads.keys().map(|(_, name)| name));
        let unread = pods.map(|name| &name.namespace).filter(|it| !side.cluster.namespaces.contains_key(*it));
        unread.cloned().collect()
    };
    let mut namespaces = unread(old);
    namespaces.append(&mut unread(new));
    let read = |it: &String| old.cluster.namespaces.contains_key(it) || new.cluster.namespaces.contains_key(it);
    namespaces.retain(|it| !read(it));
    if namespaces.is_empty() {
        return Vec::new();
    }
    let mut asked: BTreeSet<BTreeMap<String, String>> = BTreeSet::new();
    for section in differing(old, new).iter().flat_map(|policy| &policy.sections) {
        if let Subjects::Endpoints(selector) = &section.subjects {
            asked.extend(of_namespace(selector));
        }
        for peers in
            section.entries.iter().filter_map(|it| if let L3::Any(peers) = &it.l3 { Some(peers) } else { None })
        {
            for peer in peers {
                if let PeerSelector::Labels { selector, .. } = &peer.selector {
                    asked.extend(of_namespace(selector));
                }
            }
        }
    }
    let asked = asked.into_iter().filter(|labels| !labels.is_empty()).take(GUESSES);
    asked.map(|labels| Guess::Labels { namespaces: namespaces.clone(), labels }).collect()
}

/// The labels of namespaces that meet, or just fail, what a selector asks of them: the first of its values, then each other one alone.
fn of_namespace(selector: &Selector) -> Vec<BTreeMap<String, String>> {
    let (mut plain, mut others) = (BTreeMap::new(), Vec::new());
    for requirement in selector.requirements() {
        let Some(key) = requirement.key.strip_prefix(labels::NAMESPACE_LABELS) else { continue };
        let values = match &requirement.operator {
            Operator::In(values) | Operator::NotIn(values) => values.clone(),
            Operator::Exists | Operator::DoesNotExist => vec!["any".to_owned()],
        };
        if let (true, Some((first, rest))) = (key != "kubernetes.io/metadata.name", values.split_first()) {
            plain.insert(key.to_owned(), first.clone());
            others.extend(rest.iter().map(|value| (key.to_owned(), value.clone())));
        }
    }
    let other = |(key, value): (String, String)| {
        let mut labels = plain.clone();
        labels.insert(key, value);
        labels
    };
    let others: Vec<BTreeMap<String, String>> = others.into_iter().map(other).collect();
    std::iter::once(plain).chain(others).collect()
}

impl Guess {
    /// A side where it is so.
    pub fn made(&self, side: &Side) -> Side {
        let mut side = side.clone();
        match self {
            Guess::Labels { namespaces, labels } => {
                for name in namespaces {
                    let namespace = Namespace::new(name.clone(), labels.clone());
                    side.cluster.namespaces.insert(name.clone(), namespace);
                }
            }
            Guess::Behind(service) => put_behind(&mut side, service),
        }
        side
    }

    /// What would have to be read.
    pub fn missing(&self) -> Vec<String> {
        match self {
            Guess::Labels { namespaces, .. } => {
                namespaces.iter().map(|name| format!("namespace-labels {name}")).collect()
            }
            Guess::Behind(service) => vec![format!("service {}", service.name)],
        }
    }
}
