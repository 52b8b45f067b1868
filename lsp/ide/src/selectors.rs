//! Selectors of policies where they are written, and whom they select now.

use checks::{Candidate, Population};
use hir::{L3, PeerSelector, Policy, Selector, Subjects};

use crate::here::Here;

/// A selector and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub selector: Selector,
    /// The path of what holds all of it: of a peer of a NetworkPolicy the peer, else the selector's own.
    pub path: String,
    /// Whether it says whom the policy is about.
    pub is_subject: bool,
    /// Whether it selects nodes.
    pub of_nodes: bool,
}

impl Written {
    /// Whether a path is that of the selector or leads into it.
    pub fn holds(&self, path: &str) -> bool {
        is_within(path, &self.path)
    }
}

/// Whether a path is another or leads into it.
pub(crate) fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Every selector of pods and nodes of a policy, each once, in the order of paths. `has` says whether something stands at a path.
pub(crate) fn written(policy: &Policy, has: impl Fn(&str) -> bool) -> Vec<Written> {
    let mut found = Vec::new();
    for section in &policy.sections {
        let of_nodes = matches!(section.subjects, Subjects::Nodes(_));
        let (Subjects::Endpoints(selector) | Subjects::Nodes(selector)) = &section.subjects;
        let fields = ["podSelector", "endpointSelector", "nodeSelector", "subject"];
        let path = fields.map(|field| format!("{}.{field}", section.path)).into_iter().find(|path| has(path));
        let selector = selector.clone();
        found.extend(path.map(|path| Written { selector, path, is_subject: true, of_nodes }));
        for entry in &section.entries {
            let L3::Any(peers) = &entry.l3 else { continue };
            for peer in peers {
                let (selector, of_nodes) = match &peer.selector {
                    PeerSelector::Labels { selector, .. } => (selector, false),
                    PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector) => (selector, true),
                    _ => continue,
                };
                let (selector, path) = (selector.clone(), peer.path.clone());
                found.push(Written { selector, path, is_subject: false, of_nodes });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

/// The selector around a place of a policy.
pub(crate) fn around(here: &Here, policy: &Policy) -> Option<Written> {
    let path = here.path_text();
    written(policy, |path| here.tree.find(here.root, path).is_some()).into_iter().find(|it| it.holds(&path))
}

/// The pods that a selector selects now, and the workloads whose pods it would select.
pub(crate) fn selected<'p>(
    population: &'p Population,
    selector: &Selector,
) -> (Vec<&'p Candidate>, Vec<&'p Candidate>) {
    population.matching(selector).partition(|it| it.made_by.is_none())
}

/// `3 pods and 1 workload`; `no pod` for nobody.
pub(crate) fn count(pods: usize, workloads: usize) -> String {
    let said = |many: usize, noun: &str| format!("{many} {noun}{}", if many == 1 { "" } else { "s" });
    match (pods, workloads) {
        (0, 0) => "no pod".into(),
        (pods, 0) => said(pods, "pod"),
        (0, workloads) => said(workloads, "workload"),
        (pods, workloads) => format!("{} and {}", said(pods, "pod"), said(workloads, "workload")),
    }
}

/// What a candidate is called in the texts: `Pod shop/web`, `Deployment shop/db`.
pub(crate) fn object_name(candidate: &Candidate) -> String {
    format!("{} {}", candidate.made_by.map_or("Pod", |kind| kind.name()), candidate.pod.name)
}
