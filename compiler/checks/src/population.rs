//! Who there is: the pods that policies can select, and how much of the cluster is known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use driver::{Db, shelf};
use facts::{Cluster, Pod};
use flow::Protocol;
use hir::filter::Filter;
use hir::labels::{CLUSTER, LabelSet, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use hir::{Dialect, Operator, Requirement, Selector, Source};

use crate::find::is_name;

/// Everybody whom selectors can select, with the cluster that tells of them.
pub struct Population {
    /// The reading of the policy language.
    pub dialect: &'static Dialect,
    /// Everything that is known of the cluster.
    pub cluster: Arc<Cluster>,
    /// Which labels of pods take part in identities, where selectors see identities.
    pub(crate) filter: Filter,
    /// Whether the facts are a snapshot of a whole cluster, and not just what some files say of it.
    pub complete: bool,
    /// Pods, and for each thing that makes pods one that it would make.
    pods: Vec<Candidate>,
    /// Places in `pods` by key and value of each label, ascending.
    carriers: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
    lists_namespaces: OnceLock<bool>,
    addresses: OnceLock<Addresses>,
    port_names: OnceLock<PortNames>,
}

/// Addresses of the cluster, ascending, each with words for whose it is.
pub(crate) struct Addresses {
    pub pods: Vec<(IpAddr, String)>,
    pub nodes: Vec<(IpAddr, String)>,
    pub services: Vec<(IpAddr, String)>,
    /// Whether pods or nodes have addresses of both families.
    pub both_families: bool,
}

/// The numbers of each port name and protocol, ascending, each with a pod that has it.
pub(crate) type PortNames = BTreeMap<(String, Protocol), Vec<(u16, String)>>;

/// A pod that a selector may select.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The pod, or one that a workload would make: then it has no address.
    pub pod: Pod,
    /// What selectors see of it.
    pub labels: LabelSet,
    /// The kind of the workload that would make it; `None` of a pod.
    pub made_by: Option<facts::WorkloadKind>,
}

impl Candidate {
    fn is_remote(&self, finder: &Population) -> bool {
        self.pod.cluster.as_ref().is_some_and(|name| *name != finder.cluster.config.cluster_name)
    }
}

/// The pods that a selector may select, all of which are known.
pub(crate) struct Known<'f> {
    finder: &'f Population,
    /// The namespaces that it names; `None` for all.
    names: Option<&'f [String]>,
}

impl<'f> Known<'f> {
    /// The namespaces that the selector names; empty for all.
    pub fn namespaces(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        self.names.into_iter().flatten().map(String::as_str)
    }

    /// Whether a requirement holds of any known pod there.
    pub fn any(&self, requirement: &Requirement) -> bool {
        let there = self.names.map(|names| Requirement::k8s(NAMESPACE, Operator::In(names.to_vec())));
        let selector = Selector::new(there.into_iter().chain([requirement.clone()]));
        self.finder.matching(&selector).next().is_some()
    }

    /// The values that known pods there have for a key, ascending, each once.
    pub fn values(&self, key: &str) -> Vec<&'f str> {
        let finder = self.finder;
        if self.names.is_none() {
            return finder.carriers.get(key).into_iter().flat_map(|it| it.keys()).map(String::as_str).collect();
        }
        let values: BTreeSet<&str> = self.pods().filter_map(|pod| pod.labels.get(None, key)).collect();
        values.into_iter().collect()
    }

    /// Known pods there, whether selected or not, those of other clusters of a mesh included.
    pub fn pods(&self) -> Box<dyn Iterator<Item = &'f Candidate> + 'f> {
        let finder = self.finder;
        match self.names {
            Some(names) => {
                Box::new(names.iter().flat_map(|name| finder.carriers(NAMESPACE, name)).map(|at| &finder.pods[*at]))
            }
            None => Box::new(finder.pods.iter()),
        }
    }
}

impl Addresses {
    fn of(cluster: &Cluster) -> Addresses {
        let pods = cluster.pods.values().flat_map(|pod| pod.own_ips().map(move |ip| (ip, format!("pod {}", pod.name))));
        let nodes =
            cluster.nodes.values().flat_map(|node| node.ips.iter().map(move |ip| (*ip, format!("node {}", node.name))));
        let services = cluster
            .services
            .values()
            .flat_map(|service| service.cluster_ips.iter().map(move |ip| (*ip, format!("service {}", service.name))));
        let sorted = |mut found: Vec<(IpAddr, String)>| {
            found.sort();
            found
        };
        let (pods, nodes, services) = (sorted(pods.collect()), sorted(nodes.collect()), sorted(services.collect()));
        let has = |of: fn(&IpAddr) -> bool| pods.iter().chain(&nodes).any(|(ip, _)| of(ip));
        let both_families = has(IpAddr::is_ipv4) && has(IpAddr::is_ipv6);
        Addresses { pods, nodes, services, both_families }
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

/// Namespaces that an API server makes by itself.
const OF_EVERY_CLUSTER: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl Population {
    /// That of a database, kept until its cluster changes.
    pub fn of(db: &dyn Db) -> Arc<Population> {
        shelf::of_cluster(db).get(|| Population::new(db))
    }

    fn new(db: &dyn Db) -> Population {
        let cluster = driver::world::cluster(db);
        let dialect = db.project().dialect(db);
        let made = cluster.workloads.iter().map(|((kind, _), workload)| {
            let pod = Pod {
                name: workload.name.clone(),
                labels: workload.labels.clone(),
                ports: workload.ports.clone(),
                probes: workload.probes.clone(),
                service_account: workload.service_account.clone(),
                host_network: workload.host_network,
                ..Pod::default()
            };
            (pod, Some(*kind))
        });
        let running = cluster.pods.values().chain(cluster.remote_pods.values().flat_map(|pods| pods.values()));
        let running = running.filter(|pod| !pod.phase.is_over()).map(|pod| (pod.clone(), None));
        let with_labels = |(pod, made_by): (Pod, _)| Candidate {
            labels: hir::subject::endpoint_labels(&pod, &cluster, dialect),
            pod,
            made_by,
        };
        let pods: Vec<Candidate> = running.chain(made).map(with_labels).collect();
        let mut carriers: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (at, pod) in pods.iter().enumerate() {
            for label in pod.labels.iter() {
                let by_value = carriers.entry(label.key.clone()).or_default();
                by_value.entry(label.value.clone()).or_default().push(at);
            }
        }
        let filter = Filter::of_pods(&cluster.config.labels);
        Population {
            dialect,
            complete: !db.project().cluster(db).pods.is_empty(),
            pods,
            carriers,
            cluster,
            filter,
            lists_namespaces: OnceLock::new(),
            addresses: OnceLock::new(),
            port_names: OnceLock::new(),
        }
    }

    /// The known pods that a selector selects, those of other clusters of a mesh included.
    ///
    /// Cost: that of the pods which carry the rarest label that it asks for.
    pub fn matching(&self, selector: &Selector) -> impl Iterator<Item = &Candidate> {
        let places = |requirement: &Requirement| -> Option<Vec<&[usize]>> {
            match &requirement.operator {
                Operator::In(values) => {
                    Some(values.iter().map(|value| self.carriers(&requirement.key, value)).collect())
                }
                Operator::Exists => {
                    let by_value = self.carriers.get(&requirement.key);
                    Some(by_value.into_iter().flat_map(|it| it.values()).map(Vec::as_slice).collect())
                }
                Operator::NotIn(_) | Operator::DoesNotExist => None,
            }
        };
        let size = |places: &Vec<&[usize]>| places.iter().map(|it| it.len()).sum::<usize>();
        let rarest = selector.requirements().iter().filter_map(places).min_by_key(size);
        let all = if rarest.is_none() { self.pods.as_slice() } else { &[] };
        let some = rarest.into_iter().flatten().flatten().map(|at| &self.pods[*at]);
        all.iter().chain(some).filter(move |it| selector.matches(&it.labels))
    }

    /// The pods of this cluster that a selector selects.
    pub(crate) fn own(&self, selector: &Selector) -> impl Iterator<Item = &Candidate> {
        self.matching(selector).filter(|it| !it.is_remote(self))
    }

    fn carriers(&self, key: &str, value: &str) -> &[usize] {
        self.carriers.get(key).and_then(|by_value| by_value.get(value)).map_or(&[], Vec::as_slice)
    }

    /// What is known of the pods that a selector may select; `None` when some of them may be unknown, or when it selects more than
    /// pods.
    pub(crate) fn known<'f>(&'f self, selector: &'f Selector) -> Option<Known<'f>> {
        let requirements = selector.requirements();
        if self.pods.is_empty() || !requirements.iter().all(|it| self.is_readable(it)) {
            return None;
        }
        let names = requirements.iter().find_map(named_namespaces);
        let of_namespaces = requirements.iter().any(|it| it.key.starts_with(NAMESPACE_LABELS) && !is_name(it));
        let has_object = |namespace: &String| !of_namespaces || self.cluster.namespaces.contains_key(namespace);
        let known = match names {
            Some(names) if self.complete => names.iter().all(has_object),
            Some(names) => names.iter().all(|name| !self.carriers(NAMESPACE, name).is_empty() && has_object(name)),
            None => self.complete && (!of_namespaces || !self.cluster.namespaces.is_empty()),
        };
        known.then_some(Known { finder: self, names })
    }

    /// Every known pod, where all of the cluster are known.
    pub(crate) fn everything(&self) -> Option<Known<'_>> {
        self.complete.then_some(Known { finder: self, names: None })
    }

    /// Every known pod.
    pub fn pods(&self) -> impl Iterator<Item = &Candidate> {
        self.pods.iter()
    }

    /// Whose addresses of the cluster are known.
    pub(crate) fn addresses(&self) -> &Addresses {
        self.addresses.get_or_init(|| Addresses::of(&self.cluster))
    }

    /// Every port name of the cluster's pods.
    pub(crate) fn port_names(&self) -> &PortNames {
        self.port_names.get_or_init(|| {
            let mut found = PortNames::new();
            for pod in &self.pods {
                for port in &pod.pod.ports {
                    let numbers = found.entry((port.name.clone(), port.protocol)).or_default();
                    if let Err(at) = numbers.binary_search_by_key(&port.port, |(number, _)| *number) {
                        numbers.insert(at, (port.port, pod.pod.name.to_string()));
                    }
                }
            }
            found
        })
    }

    /// Whether files tell of namespaces as a cluster does: pods that run, and the namespace of each of them. What `kubectl get` prints is
    /// such; a repository of manifests has what makes pods, and leaves namespaces of others out.
    pub(crate) fn lists_namespaces(&self) -> bool {
        *self.lists_namespaces.get_or_init(|| {
            let mut pods = self.cluster.pods.values().peekable();
            pods.peek().is_some() && pods.all(|pod| self.cluster.namespaces.contains_key(&pod.name.namespace))
        })
    }

    /// Whether a namespace is known, by an object of its own or by what is in it, or because every cluster has it.
    pub(crate) fn has_namespace(&self, name: &str) -> bool {
        OF_EVERY_CLUSTER.contains(&name)
            || self.cluster.namespaces.contains_key(name)
            || !self.carriers(NAMESPACE, name).is_empty()
    }

    /// Whether the facts tell if a label is there.
    fn is_readable(&self, requirement: &Requirement) -> bool {
        matches!(requirement.source, None | Some(Source::K8s))
            && requirement.key != CLUSTER
            && !MADE.contains(&requirement.key.as_str())
            && (requirement.key != SERVICE_ACCOUNT || self.complete)
    }
}

fn named_namespaces(requirement: &Requirement) -> Option<&[String]> {
    match &requirement.operator {
        Operator::In(values) if requirement.key == NAMESPACE || is_name(requirement) => Some(values),
        _ => None,
    }
}
