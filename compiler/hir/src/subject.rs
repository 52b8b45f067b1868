//! Subjects: whom policies are about, and which of them share one decision.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use facts::{Cluster, Config, ContainerPort, Labels, Name, Pod, node_config};

use crate::dialect::Dialect;
use crate::filter::{self, Filter, takes_part};
use crate::labels::{self, Label, LabelSet, Source};
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
    /// Settings of the agent on its node, where they are other than those of the cluster and decide about policies.
    pub settings: Labels,
}

impl Class {
    /// The configuration that holds for its subjects.
    pub fn config<'c>(&self, config: &'c Config) -> Cow<'c, Config> {
        match self.settings.is_empty() {
            true => Cow::Borrowed(config),
            false => Cow::Owned(node_config::over(config, &self.settings)),
        }
    }
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
    /// The health endpoint of a node.
    Health(String),
    /// The proxy of a node for Ingress and Gateway.
    Ingress(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Pod(name) => write!(f, "pod {name}"),
            Subject::Node(name) => write!(f, "node {name}"),
            Subject::Health(name) => write!(f, "health of node {name}"),
            Subject::Ingress(name) => write!(f, "ingress of node {name}"),
        }
    }
}

/// What policies can tell of a pod without its address and its node: its labels, and those of its named ports that policies mention.
///
/// Most pods are copies of others, so it is worked out once for all pods that say the same.
pub(crate) struct Shapes<'c> {
    cluster: &'c Cluster,
    dialect: &'c Dialect,
    port_names: &'c BTreeSet<String>,
    numbers: HashMap<Said<'c>, usize>,
    shapes: Vec<(LabelSet, NamedPorts)>,
}

/// What a pod says of itself: its namespace and cluster, its labels, its service account, its ports.
type Said<'c> = (&'c str, Option<&'c str>, &'c Labels, &'c str, &'c [ContainerPort]);

impl<'c> Shapes<'c> {
    /// None yet.
    pub fn new(cluster: &'c Cluster, dialect: &'c Dialect, port_names: &'c BTreeSet<String>) -> Shapes<'c> {
        Shapes { cluster, dialect, port_names, numbers: HashMap::new(), shapes: Vec::new() }
    }

    /// The shape of a pod, and its number among those asked for.
    pub fn of(&mut self, pod: &'c Pod) -> (usize, &mut (LabelSet, NamedPorts)) {
        let said = (
            pod.name.namespace.as_str(),
            pod.cluster.as_deref(),
            &pod.labels,
            pod.service_account.as_str(),
            &*pod.ports,
        );
        let number = *self.numbers.entry(said).or_insert_with(|| {
            let ports = NamedPorts::of(&pod.ports, self.dialect.last_port_name_counts).only(self.port_names);
            self.shapes.push((endpoint_labels(pod, self.cluster, self.dialect), ports));
            self.shapes.len() - 1
        });
        (number, &mut self.shapes[number])
    }
}

/// Every subject of this cluster, by class.
///
/// Shape: pods that are not over and not on the host network, health endpoints and proxies that nodes have, and, where host policies
/// are enforced, nodes; each once.
pub fn classes(cluster: &Cluster, table: &PeerTable, dialect: &Dialect) -> BTreeMap<Class, Vec<Subject>> {
    let mut classes: BTreeMap<Class, Vec<Subject>> = BTreeMap::new();
    let mut shapes = Shapes::new(cluster, dialect, table.mentioned_ports());
    for pod in cluster.pods.values().filter(|pod| !pod.host_network) {
        if let Some(class) = class_of_shape(pod, cluster, table, &mut shapes) {
            classes.entry(class).or_default().push(Subject::Pod(pod.name.clone()));
        }
    }
    for node in cluster.cilium_nodes.values() {
        let mut special = |has: bool, label: &str, subject: Subject| {
            if has {
                classes.entry(class_of_special(label, &node.name, cluster, table)).or_default().push(subject);
            }
        };
        special(!node.health.is_empty(), "health", Subject::Health(node.name.clone()));
        special(!node.ingress.is_empty(), "ingress", Subject::Ingress(node.name.clone()));
    }
    if cluster.config.host_firewall {
        for node in cluster.node_ips().into_keys() {
            let class = class_of_node(node, cluster, table);
            classes.entry(class).or_default().push(Subject::Node(node.to_owned()));
        }
    }
    classes
}

/// The class of the health endpoint (`health`) or the proxy (`ingress`) of a node. Both are ordinary subjects with no namespace.
pub fn class_of_special(label: &str, node: &str, cluster: &Cluster, table: &PeerTable) -> Class {
    let labels = LabelSet::reserved(&[label]);
    let (host, settings) = (table.host_of(Some(node)), cluster.settings_of(Some(node)));
    Class { kind: SubjectKind::Endpoint, labels, ports: NamedPorts::default(), host, settings }
}

/// The class whose decisions hold for a pod: for one on the host network that of its node.
///
/// Errors: `None` when nothing is enforced for it: it is over, in another cluster, or on the host network without host policies.
pub fn class_of_pod(pod: &Pod, cluster: &Cluster, table: &PeerTable, dialect: &Dialect) -> Option<Class> {
    class_of_shape(pod, cluster, table, &mut Shapes::new(cluster, dialect, table.mentioned_ports()))
}

fn class_of_shape<'c>(pod: &'c Pod, cluster: &Cluster, table: &PeerTable, shapes: &mut Shapes<'c>) -> Option<Class> {
    let elsewhere = pod.cluster.as_ref().is_some_and(|name| *name != cluster.config.cluster_name);
    if pod.phase.is_over() || elsewhere {
        return None;
    }
    if pod.host_network {
        let node = pod.node.as_ref().filter(|_| cluster.config.host_firewall)?;
        return Some(class_of_node(node, cluster, table));
    }
    let (_, (labels, ports)) = shapes.of(pod);
    // As a peer the pod has these labels, too: a large cluster keeps them once.
    if let Some(peer) = pod.ips.first().and_then(|ip| table.peer_at(*ip)).filter(|peer| peer.key.labels == *labels) {
        *labels = peer.key.labels.clone();
    }
    let host = table.host_of(pod.node.as_deref());
    let settings = cluster.settings_of(pod.node.as_deref());
    Some(Class { kind: SubjectKind::Endpoint, labels: labels.clone(), ports: ports.clone(), host, settings })
}

/// The class of a node as a subject.
pub fn class_of_node(node: &str, cluster: &Cluster, table: &PeerTable) -> Class {
    let host = table.host_of(Some(node));
    let own = table.hosts().get(host.0 as usize).map(|host| host.labels.clone());
    let mut labels = own.unwrap_or_else(|| LabelSet::reserved(&["host"]));
    let filter = Filter::of_nodes(&cluster.config.node_labels);
    for (key, value) in cluster.node_labels(node).into_iter().flatten() {
        if filter.keeps(&Source::K8s, key) {
            labels.insert(Source::K8s, key, value);
        }
    }
    let settings = cluster.settings_of(Some(node));
    Class { kind: SubjectKind::Host, labels, ports: NamedPorts::default(), host, settings }
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
    let added = filter::added(&cluster.config.labels).filter(|_| !dialect.all_labels_selectable);
    let namespace = cluster.namespaces.get(&pod.name.namespace).map(|namespace| &namespace.labels);
    let mut all: Vec<Label> = Vec::with_capacity(pod.labels.len() + namespace.map_or(0, |labels| labels.len()) + 4);
    let mut add = |key: String, value: &str| all.push(Label { key, source: Source::K8s, value: value.to_owned() });
    for (key, value) in &pod.labels {
        let forged = key.starts_with(labels::RESERVED_PREFIX) || key == labels::NAMESPACE;
        let known = dialect.all_labels_selectable
            || added.as_ref().map_or_else(|| takes_part(key), |added| added.keeps(&Source::K8s, key));
        if known && !forged {
            add(key.clone(), value);
        }
    }
    // Why: the API server gives this label to every namespace, so it holds for one whose object was not read, too.
    add([labels::NAMESPACE_LABELS, "kubernetes.io/metadata.name"].concat(), &pod.name.namespace);
    for (key, value) in namespace.into_iter().flatten() {
        add([labels::NAMESPACE_LABELS, key].concat(), value);
    }
    add(labels::NAMESPACE.to_owned(), &pod.name.namespace);
    add(labels::CLUSTER.to_owned(), pod.cluster.as_ref().unwrap_or(&cluster.config.cluster_name));
    if !pod.service_account.is_empty() {
        add(labels::SERVICE_ACCOUNT.to_owned(), &pod.service_account);
    }
    if let Some(added) = added {
        all.retain(|label| added.keeps(&label.source, &label.key));
    }
    all.into_iter().collect()
}
