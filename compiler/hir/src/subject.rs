//! Subjects: whom policies are about, and which of them share one decision.

use std::collections::BTreeMap;
use std::fmt;

use facts::{Cluster, Name, Pod};

use crate::dialect::Dialect;
use crate::labels::{self, LabelSet, Source};
use crate::peers::{HostId, NamedPorts, PeerTable};
use crate::policy::{Section, Subjects};

/// Subjects with equal classes have equal decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// What kind of subject.
    pub kind: SubjectKind,
    /// Its labels.
    pub labels: LabelSet,
    /// Its own named ports, as far as policies mention their names.
    pub ports: NamedPorts,
    /// What its own node is to it.
    pub host: HostId,
}

/// What kind of subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// A pod with a network of its own.
    #[default]
    Endpoint,
    /// An endpoint whose labels are not known yet: both directions are isolated.
    Init,
    /// A node itself.
    Host,
}

/// One subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A pod.
    Pod(Name),
    /// A node.
    Node(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Pod(name) => write!(f, "pod {name}"),
            Subject::Node(name) => write!(f, "node {name}"),
        }
    }
}

/// Every subject of this cluster, by class.
///
/// Shape: pods that are not over and not on the host network, and, where host policies are enforced, nodes; each once.
pub fn classes(cluster: &Cluster, table: &PeerTable, dialect: &Dialect) -> BTreeMap<Class, Vec<Subject>> {
    let mut classes: BTreeMap<Class, Vec<Subject>> = BTreeMap::new();
    for pod in cluster.pods.values().filter(|pod| !pod.host_network) {
        if let Some(class) = class_of_pod(pod, cluster, table, dialect) {
            classes.entry(class).or_default().push(Subject::Pod(pod.name.clone()));
        }
    }
    if cluster.config.host_firewall {
        for node in cluster.nodes.values() {
            let class = class_of_node(&node.name, cluster, table);
            classes.entry(class).or_default().push(Subject::Node(node.name.clone()));
        }
    }
    classes
}

/// The class whose decisions hold for a pod: for one on the host network that of its node.
///
/// Errors: `None` when nothing is enforced for it: it is over, in another cluster, or on the host network without host policies.
pub fn class_of_pod(pod: &Pod, cluster: &Cluster, table: &PeerTable, dialect: &Dialect) -> Option<Class> {
    let elsewhere = pod.cluster.as_ref().is_some_and(|name| *name != cluster.config.cluster_name);
    if pod.phase.is_over() || elsewhere {
        return None;
    }
    if pod.host_network {
        let node = pod.node.as_ref().filter(|_| cluster.config.host_firewall)?;
        return Some(class_of_node(node, cluster, table));
    }
    Some(Class {
        kind: SubjectKind::Endpoint,
        labels: endpoint_labels(pod, cluster, dialect),
        ports: NamedPorts::of(&pod.ports).only(table.mentioned_ports()),
        host: table.host_of(pod.node.as_deref()),
    })
}

/// The class of a node as a subject.
pub fn class_of_node(node: &str, cluster: &Cluster, table: &PeerTable) -> Class {
    let mut labels = LabelSet::reserved(&["host"]);
    for (key, value) in cluster.nodes.get(node).into_iter().flat_map(|node| &node.labels) {
        labels.insert(Source::K8s, key, value);
    }
    Class { kind: SubjectKind::Host, labels, ports: NamedPorts::default(), host: table.host_of(Some(node)) }
}

/// Whether a section is about the subjects of a class.
pub fn selects(section: &Section, class: &Class) -> bool {
    match &section.subjects {
        Subjects::Endpoints(selector) => class.kind != SubjectKind::Host && selector.matches(&class.labels),
        Subjects::Nodes(selector) => class.kind == SubjectKind::Host && selector.matches(&class.labels),
    }
}

/// The labels that a pod is known by: its own, and those derived from its namespace, service account and cluster.
///
/// Derived labels win over labels of the pod with such keys, so that nobody can forge them.
pub fn endpoint_labels(pod: &Pod, cluster: &Cluster, dialect: &Dialect) -> LabelSet {
    let mut set = LabelSet::default();
    for (key, value) in &pod.labels {
        let forged = key.starts_with(labels::RESERVED_PREFIX) || key == labels::NAMESPACE;
        let known = dialect.all_labels_selectable || labels::takes_part(key);
        if known && !forged {
            set.insert(Source::K8s, key, value);
        }
    }
    // Why: the API server gives this label to every namespace, so it holds for one whose object was not read, too.
    set.insert(Source::K8s, format!("{}kubernetes.io/metadata.name", labels::NAMESPACE_LABELS), &pod.name.namespace);
    let namespace = cluster.namespaces.get(&pod.name.namespace);
    for (key, value) in namespace.into_iter().flat_map(|namespace| &namespace.labels) {
        set.insert(Source::K8s, format!("{}{key}", labels::NAMESPACE_LABELS), value);
    }
    set.insert(Source::K8s, labels::NAMESPACE, &pod.name.namespace);
    let mesh = pod.cluster.as_ref().unwrap_or(&cluster.config.cluster_name);
    set.insert(Source::K8s, labels::CLUSTER, mesh);
    if !pod.service_account.is_empty() {
        set.insert(Source::K8s, labels::SERVICE_ACCOUNT, &pod.service_account);
    }
    set
}
