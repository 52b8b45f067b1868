//! Whom a selector in an unfinished text is about.

use std::sync::Arc;

use checks::{Candidate, Population};
use facts::Labels;
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};

use super::Site;
use crate::cursor::{Step, spell};

/// What a selector selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// Pods of these namespaces; of every one where none is named.
    Pods(Option<Vec<String>>),
    Namespaces,
    Nodes,
    /// Services of this namespace, or of every one.
    Services(Option<String>),
    Groups,
}

/// Conditions that must hold: keys and values.
pub(super) type Equal = Vec<(String, String)>;

/// Whom the selector at a path is about, whatever it says of labels; `None` where the path leads to no selector.
pub(super) fn whom(site: &Site<'_>, selector: &[Step]) -> Option<Whom> {
    let field = selector.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item(_) => None,
    })?;
    let kind = site.cursor.text("kind").unwrap_or_default();
    let own = || Some(vec![site.namespace().to_owned()]);
    let scoped = if site.kind.is_some_and(|kind| kind.namespaced) { own() } else { None };
    Some(match field {
        "podSelector" => {
            let parent = &selector[..selector.len() - 1];
            let beside = [parent, &[Step::Key("namespaceSelector".into())]].concat();
            match site.cursor.has(&spell(&beside)) {
                true => Whom::Pods(namespaces_with(site, &equal(site, &beside))),
                false => Whom::Pods(scoped),
            }
        }
        "namespaceSelector" | "namespaces" => Whom::Namespaces,
        "endpointSelector" => Whom::Pods(scoped),
        "fromEndpoints" | "toEndpoints" | "fromRequires" | "toRequires" => {
            let (of_namespaces, _): (Equal, Equal) =
                equal(site, selector).into_iter().partition(|(key, _)| is_of_namespace(plain(key)));
            match of_namespaces.is_empty() {
                true => Whom::Pods(scoped),
                false => Whom::Pods(named(site, &of_namespaces)),
            }
        }
        "nodeSelector" | "fromNodes" | "toNodes" => Whom::Nodes,
        "cidrGroupSelector" => Whom::Groups,
        "selector" if selector.len() > 1 && kind.ends_with("NetworkPolicy") => {
            let parent = &selector[..selector.len() - 1];
            let beside = [parent, &[Step::Key("namespace".into())]].concat();
            Whom::Services(site.cursor.text(&spell(&beside)).map(str::to_owned))
        }
        "selector" if kind == "Service" => Whom::Pods(own()),
        _ => return None,
    })
}

/// The conditions of `matchLabels` at a selector, the one that is being typed left out.
pub(super) fn equal(site: &Site<'_>, selector: &[Step]) -> Equal {
    site.cursor.entries(&spell(&[selector, &[Step::Key("matchLabels".into())]].concat()))
}

/// The pods that the selector at a path selects by its `matchLabels`, those that workloads would make among them.
pub(super) fn selected(site: &Site<'_>, population: &Arc<Population>, selector: &[Step]) -> Vec<Candidate> {
    let Some(whom @ Whom::Pods(_)) = whom(site, selector) else { return Vec::new() };
    let wanted: Equal = equal(site, selector).into_iter().filter(|(key, _)| !is_of_namespace(plain(key))).collect();
    let has = |it: &&Candidate| wanted.iter().all(|(key, value)| it.pod.labels.get(plain(key)) == Some(value));
    pods(population, &whom).filter(has).cloned().collect()
}

/// The pods whom a selector may select.
pub(super) fn pods<'p>(population: &'p Population, whom: &'p Whom) -> impl Iterator<Item = &'p Candidate> {
    let there = move |it: &&Candidate| match whom {
        Whom::Pods(names) => names.as_ref().is_none_or(|names| names.contains(&it.pod.name.namespace)),
        _ => false,
    };
    population.pods().filter(there)
}

/// The labels of everything that a selector may select.
pub(super) fn labels<'p>(population: &'p Population, whom: &'p Whom) -> Vec<&'p Labels> {
    let cluster = &population.cluster;
    match whom {
        Whom::Pods(_) => pods(population, whom).map(|it| &it.pod.labels).collect(),
        Whom::Namespaces => cluster.namespaces.values().map(|it| &it.labels).collect(),
        Whom::Nodes => cluster.nodes.values().map(|it| &it.labels).collect(),
        Whom::Groups => cluster.cidr_groups.values().map(|it| &it.labels).collect(),
        Whom::Services(namespace) => {
            let there =
                cluster.services.values().filter(|it| namespace.as_ref().is_none_or(|name| *name == it.name.namespace));
            there.map(|it| &it.labels).collect()
        }
    }
}

/// Every namespace that is known, by an object of its own or by a pod in it; ascending.
pub(super) fn namespaces(population: &Population) -> Vec<&str> {
    let of_pods = population.pods().map(|it| it.pod.name.namespace.as_str());
    let mut all: Vec<&str> = population.cluster.namespaces.keys().map(String::as_str).chain(of_pods).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A key of a label without its source, `app` of `k8s:app`.
pub(super) fn plain(key: &str) -> &str {
    key.strip_prefix("k8s:").or_else(|| key.strip_prefix("any:")).unwrap_or(key)
}

/// Whether a key of an endpoint selector speaks of the namespace.
pub(super) fn is_of_namespace(key: &str) -> bool {
    key == NAMESPACE || key.starts_with(NAMESPACE_LABELS)
}

/// The namespaces with these labels; `None` for every one.
fn namespaces_with(site: &Site<'_>, wanted: &Equal) -> Option<Vec<String>> {
    if wanted.is_empty() {
        return None;
    }
    let population = Population::of(site.db);
    let fits = |name: &&str| {
        let labels = population.cluster.namespaces.get(*name).map(|it| &it.labels);
        let has = |key: &str, value: &str| labels.and_then(|it| it.get(key)).is_some_and(|it| it == value);
        wanted.iter().all(|(key, value)| has(key, value) || (key == "kubernetes.io/metadata.name" && value == name))
    };
    Some(namespaces(&population).iter().filter(|name| fits(name)).map(|name| (*name).to_owned()).collect())
}

/// The namespaces that conditions of an endpoint selector name.
fn named(site: &Site<'_>, conditions: &Equal) -> Option<Vec<String>> {
    if let Some((_, name)) = conditions.iter().find(|(key, _)| plain(key) == NAMESPACE) {
        return Some(vec![name.clone()]);
    }
    let strip = |key: &str| plain(key).strip_prefix(NAMESPACE_LABELS).unwrap_or_default().to_owned();
    namespaces_with(site, &conditions.iter().map(|(key, value)| (strip(key), value.clone())).collect())
}
