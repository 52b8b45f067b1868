//! What findings of our own look at beside the text: the pods that policies can select, and how much of the cluster is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::Diagnostic;
use driver::Db;
use facts::{Cluster, Pod};
use hir::labels::{CLUSTER, LabelSet, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use hir::{Dialect, Operator, Requirement, Selector, Source};

use crate::place::Spot;

/// Looks for one problem in one object.
pub(crate) type Find = fn(&Spot<'_>, &Finder) -> Vec<Diagnostic>;

/// Everything beside the text.
pub(crate) struct Finder {
    pub dialect: &'static Dialect,
    pub cluster: Arc<Cluster>,
    /// Whether the facts are a snapshot of a whole cluster, and not just what some files say of it.
    pub complete: bool,
    /// Pods by namespace, and for each thing that makes pods one that it would make.
    pods: BTreeMap<String, Vec<Candidate>>,
}

/// A pod that a selector may select.
pub(crate) struct Candidate {
    pub pod: Pod,
    pub labels: LabelSet,
}

impl Candidate {
    fn is_remote(&self, finder: &Finder) -> bool {
        self.pod.cluster.as_ref().is_some_and(|name| *name != finder.cluster.config.cluster_name)
    }
}

/// The pods that a selector may select, all of which are known.
pub(crate) struct Known<'f> {
    finder: &'f Finder,
    /// The namespaces that it names; `None` for all.
    names: Option<&'f [String]>,
}

impl<'f> Known<'f> {
    /// The namespaces that the selector names; empty for all.
    pub fn namespaces(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        self.names.into_iter().flatten().map(String::as_str)
    }

    /// Known pods there, whether selected or not, those of other clusters of a mesh included.
    pub fn pods(&self) -> Box<dyn Iterator<Item = &'f Candidate> + 'f> {
        let finder = self.finder;
        match self.names {
            Some(names) => Box::new(names.iter().filter_map(|name| finder.pods.get(name)).flatten()),
            None => Box::new(finder.pods.values().flatten()),
        }
    }

    /// The pods of this cluster that the selector selects.
    pub fn selected(&self, selector: &'f Selector) -> impl Iterator<Item = &'f Candidate> + use<'f> {
        let finder = self.finder;
        self.pods().filter(move |it| !it.is_remote(finder) && selector.matches(&it.labels))
    }
}

/// Labels that are put on pods by whatever makes them, so that no manifest shows them.
const MADE: [&str; 10] = [
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "statefulset.kubernetes.io/pod-name",
];

/// The label that every namespace has: its name.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";

impl Finder {
    pub fn new(db: &dyn Db) -> Finder {
        let cluster = driver::world::cluster(db);
        let dialect = db.project().dialect(db);
        let made = cluster.workloads.values().map(|workload| Pod {
            name: workload.name.clone(),
            labels: workload.labels.clone(),
            ports: workload.ports.clone(),
            service_account: workload.service_account.clone(),
            host_network: workload.host_network,
            ..Pod::default()
        });
        let running = cluster.pods.values().chain(cluster.remote_pods.values().flat_map(|pods| pods.values()));
        let mut pods: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        for pod in running.filter(|pod| !pod.phase.is_over()).cloned().chain(made) {
            let labels = hir::subject::endpoint_labels(&pod, &cluster, dialect);
            pods.entry(pod.name.namespace.clone()).or_default().push(Candidate { pod, labels });
        }
        Finder { dialect, complete: !db.project().cluster(db).pods.is_empty(), pods, cluster }
    }

    /// What is known of the pods that a selector may select; `None` when some of them may be unknown, or when it selects more than
    /// pods.
    pub fn known<'f>(&'f self, selector: &'f Selector) -> Option<Known<'f>> {
        let requirements = selector.requirements();
        if self.pods.is_empty() || !requirements.iter().all(|it| self.is_readable(it)) {
            return None;
        }
        let names = requirements.iter().find_map(named_namespaces);
        let of_namespaces = requirements.iter().any(|it| it.key.starts_with(NAMESPACE_LABELS) && !is_name(it));
        let has_object = |namespace: &String| !of_namespaces || self.cluster.namespaces.contains_key(namespace);
        let known = match names {
            Some(names) if self.complete => names.iter().all(has_object),
            Some(names) => names.iter().all(|name| self.pods.contains_key(name) && has_object(name)),
            None => self.complete && (!of_namespaces || !self.cluster.namespaces.is_empty()),
        };
        known.then_some(Known { finder: self, names })
    }

    /// Every known pod, where all of the cluster are known.
    pub fn everything(&self) -> Option<Known<'_>> {
        self.complete.then_some(Known { finder: self, names: None })
    }

    /// Every known pod.
    pub fn pods(&self) -> impl Iterator<Item = &Candidate> {
        self.pods.values().flatten()
    }

    /// Whether the facts tell if a label is there.
    fn is_readable(&self, requirement: &Requirement) -> bool {
        matches!(requirement.source, None | Some(Source::K8s))
            && requirement.key != CLUSTER
            && !MADE.contains(&requirement.key.as_str())
            && (requirement.key != SERVICE_ACCOUNT || self.complete)
    }
}

/// Whether a requirement is on what the user wrote of pods, and not on their namespace.
pub(crate) fn is_of_pods(requirement: &Requirement) -> bool {
    requirement.key != NAMESPACE && !requirement.key.starts_with(NAMESPACE_LABELS)
}

fn is_name(requirement: &Requirement) -> bool {
    requirement.key.strip_prefix(NAMESPACE_LABELS) == Some(NAME_OF_NAMESPACE)
}

fn named_namespaces(requirement: &Requirement) -> Option<&[String]> {
    match &requirement.operator {
        Operator::In(values) if requirement.key == NAMESPACE || is_name(requirement) => Some(values),
        _ => None,
    }
}
