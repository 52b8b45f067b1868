//! Who the ends of records are in a cluster, and the pods that only records know of.
//!
//! ```text
//!  End ─┬─ a pod of the facts, by name or address ───► that pod
//!       ├─ labels of an identity ────────────────────► a pod made of them
//!       ├─ a workload of the facts ──────────────────► a pod as it would make
//!       ├─ reserved labels ──────────────────────────► node, world, health …
//!       └─ an address alone ─────────────────────────► whoever has it; perhaps nobody knows
//! ```

use crate::record::End;
use facts::{Cluster, ContainerPort, Labels, Name, Namespace, Node, Pod};
use flow::PeerId;
use hir::Entity;
use hir::labels::{CLUSTER, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use hir::peers::{HEALTH, HOST, INGRESS, INIT, UNMANAGED};
use reason::Party;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who an end is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A pod of the facts, or one that was made of the record.
    Pod {
        /// Its name among the pods.
        name: Name,
        /// The address that the record says, where the pod has it.
        address: Option<IpAddr>,
        /// Whether the names of its ports are known.
        ports_known: bool,
    },
    /// A node.
    Node(String, Option<IpAddr>),
    /// A special party: the own node, a health endpoint and the like.
    Reserved(PeerId, Entity),
    /// An address that is outside the cluster for certain.
    Outside(IpAddr),
    /// An address of which only the facts can say more.
    Address(IpAddr),
    /// Nothing tells who it is.
    Nobody,
}

impl Place {
    /// The end in the words of questions.
    pub fn party(&self) -> Party {
        match self {
            Place::Pod { name, .. } => Party::Pod(name.clone()),
            Place::Node(..) => Party::Entity(Entity::RemoteNode),
            Place::Reserved(_, entity) => Party::Entity(*entity),
            Place::Outside(_) | Place::Nobody => Party::Entity(Entity::World),
            Place::Address(address) => Party::Address(*address),
        }
    }
}

/// Where every end of a tally is, and what the records add to the facts.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By the number of the end.
    pub places: Vec<Place>,
    /// Pods, namespaces, nodes and names that only records know of. What the facts say stands above it.
    pub added: Cluster,
    /// How many addresses stand in for those that are not known.
    stand_ins: u32,
}

impl Places {
    /// Places all ends. What the records add depends on which ends there are, not on their order.
    pub fn of(ends: &[End], cluster: &Cluster) -> Places {
        let mut placing = Placing::new(cluster);
        let mut order: Vec<usize> = (0..ends.len()).collect();
        order.sort_by(|a, b| ends[*a].cmp(&ends[*b]));
        let mut places = vec![Place::Nobody; ends.len()];
        for at in order {
            places[at] = placing.place(&ends[at]);
        }
        Places { places, added: placing.added, stand_ins: placing.stand_ins }
    }

    /// Adds a pod that nobody recorded, under a name and an address that nobody else has: one that answers for a service.
    pub(crate) fn suppose(&mut self, cluster: &Cluster, pod: Pod) -> Name {
        let name = free_name(pod.name.namespace.as_str(), &pod.name.name, &[cluster, &self.added]);
        self.stand_ins += 1;
        let pod = Pod { name: name.clone(), ips: [stand_in(self.stand_ins, None)].into(), ..pod };
        self.added.pods.insert(name.clone(), pod);
        name
    }
}

/// A name that no pod has: `base`, else `base~2` and so on.
fn free_name(namespace: &str, base: &str, clusters: &[&Cluster]) -> Name {
    let taken = |name: &Name| clusters.iter().any(|cluster| cluster.pods.contains_key(name));
    let mut name = Name::new(namespace, base);
    let mut next = 2;
    while taken(&name) {
        name.name = format!("{base}~{next}");
        next += 1;
    }
    name
}

/// An address that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn stand_in(number: u32, recorded: Option<IpAddr>) -> IpAddr {
    let [_, a, b, c] = number.to_be_bytes();
    match recorded {
        Some(IpAddr::V6(_)) => {
            IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, u16::from(a), u16::from_be_bytes([b, c])))
        }
        _ => IpAddr::V4(Ipv4Addr::new(240, a, b, c)),
    }
}

/// Who has an address.
#[derive(Clone, Debug)]
enum Owner {
    Pod(Name),
    Node(String),
    Service,
}

struct Placing<'c> {
    cluster: &'c Cluster,
    owners: BTreeMap<IpAddr, Owner>,
    /// Pods that records describe alike are one.
    made: BTreeMap<(String, Vec<String>, Option<IpAddr>), Name>,
    /// Labels and ports of what runs in a namespace.
    templates: BTreeMap<&'c str, Vec<(&'c Labels, &'c [ContainerPort])>>,
    added: Cluster,
    stand_ins: u32,
}

impl<'c> Placing<'c> {
    fn new(cluster: &'c Cluster) -> Placing<'c> {
        let mut owners = BTreeMap::new();
        for (name, ips) in cluster.node_ips() {
            owners.extend(ips.into_iter().map(|ip| (ip, Owner::Node(name.to_owned()))));
        }
        for service in cluster.services.values() {
            owners.extend(service.cluster_ips.iter().map(|ip| (*ip, Owner::Service)));
        }
        for pod in cluster.pods.values() {
            for ip in pod.own_ips() {
                owners.entry(ip).or_insert_with(|| Owner::Pod(pod.name.clone()));
            }
        }
        let mut templates: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let workloads = cluster.workloads.values().map(|it| (&it.name, &it.labels, &it.ports));
        for (name, labels, ports) in workloads.chain(cluster.pods.values().map(|it| (&it.name, &it.labels, &it.ports)))
        {
            templates.entry(&name.namespace).or_default().push((labels, ports.as_slice()));
        }
        let added = Cluster::default();
        Placing { cluster, owners, made: BTreeMap::new(), templates, added, stand_ins: 0 }
    }

    fn place(&mut self, end: &End) -> Place {
        let reserved = [
            ("host", HOST, Entity::Host),
            ("health", HEALTH, Entity::Health),
            ("ingress", INGRESS, Entity::Ingress),
            ("init", INIT, Entity::Init),
            ("unmanaged", UNMANAGED, Entity::Unmanaged),
        ];
        if let Some((_, peer, entity)) = reserved.into_iter().find(|(name, ..)| end.is_reserved(name)) {
            return Place::Reserved(peer, entity);
        }
        if let (Some(address), true) = (end.address, end.is_reserved("kube-apiserver")) {
            self.added.config.kube_apiserver.insert(address);
        }
        if end.is_reserved("remote-node") {
            return self.node(end);
        }
        if let (Some(address), true) = (end.address, end.is_outside() || end.is_reserved("kube-apiserver")) {
            let learned = end.labels.iter().filter_map(|label| label.strip_prefix("fqdn:"));
            for name in end.names.iter().map(String::as_str).chain(learned.filter(|name| !name.contains('*'))) {
                self.added.dns.entry(name.to_owned()).or_default().insert(address);
            }
            return Place::Outside(address);
        }
        self.pod(end).unwrap_or_else(|| match end.address {
            Some(address) => match self.owners.get(&address) {
                Some(Owner::Pod(name)) => Place::Pod { name: name.clone(), address: Some(address), ports_known: true },
                Some(Owner::Node(name)) => Place::Node(name.clone(), Some(address)),
                Some(Owner::Service) | None => {
                    for name in &end.names {
                        self.added.dns.entry(name.clone()).or_default().insert(address);
                    }
                    Place::Address(address)
                }
            },
            None => Place::Nobody,
        })
    }

    fn node(&mut self, end: &End) -> Place {
        let Some(address) = end.address else { return Place::Reserved(HOST, Entity::RemoteNode) };
        if let Some(Owner::Node(name)) = self.owners.get(&address) {
            return Place::Node(name.clone(), Some(address));
        }
        let name = address.to_string();
        let node = Node { name: name.clone(), ips: [address].into(), ..Node::default() };
        self.added.nodes.insert(name.clone(), node);
        Place::Node(name, Some(address))
    }

    /// The pod that an end is, when it is one that can be known.
    fn pod(&mut self, end: &End) -> Option<Place> {
        let name = Name::new(end.namespace.as_str(), end.pod.as_str());
        let known = self.cluster.pods.get(&name).filter(|pod| !pod.phase.is_over());
        if let Some(pod) = known {
            if pod.host_network {
                return Some(Place::Node(pod.node.clone().unwrap_or_default(), end.address));
            }
            if pod.own_ips().next().is_some() {
                let address = end.address.filter(|address| pod.ips.contains(address));
                return Some(Place::Pod { name, address, ports_known: true });
            }
            return Some(self.make(end, pod.clone(), true));
        }
        if end.labels.iter().any(|label| label.starts_with("k8s:")) {
            let pod = self.of_labels(end);
            let ports = self.ports_like(&pod);
            let known = ports.is_some();
            return Some(self.make(end, Pod { ports: ports.unwrap_or_default(), ..pod }, known));
        }
        // Why last: a template says what pods of a workload are now; labels said what this one was.
        let made_by = |wanted: &Name| self.cluster.workloads.values().find(|it| it.name == *wanted);
        let workload = Name::new(end.namespace.as_str(), end.workload.as_str());
        let workload = made_by(&workload).or_else(|| made_by(&Name::new(end.namespace.as_str(), of_pod(&end.pod))))?;
        let pod = Pod {
            labels: workload.labels.clone(),
            ports: workload.ports.clone(),
            service_account: workload.service_account.clone(),
            ..Pod::default()
        };
        Some(self.make(end, pod, true))
    }

    fn of_labels(&mut self, end: &End) -> Pod {
        let namespace = match end.label(NAMESPACE) {
            Some(namespace) => namespace.to_owned(),
            None => end.namespace.clone(),
        };
        let mut pod = Pod { name: Name::new(namespace.as_str(), end.pod.as_str()), ..Pod::default() };
        let mut of_namespace = Labels::new();
        for label in end.labels.iter().filter_map(|label| label.strip_prefix("k8s:")) {
            let (key, value) = label.split_once('=').unwrap_or((label, ""));
            match key {
                NAMESPACE => {}
                SERVICE_ACCOUNT => pod.service_account = value.to_owned(),
                // Why not for a cluster that was never named: then this is what it is called.
                CLUSTER if self.cluster.config.cluster_name != "default" => pod.cluster = Some(value.to_owned()),
                CLUSTER => {}
                _ => match key.strip_prefix(NAMESPACE_LABELS) {
                    Some(key) => drop(of_namespace.insert(key.to_owned(), value.to_owned())),
                    None => drop(pod.labels.insert(key.to_owned(), value.to_owned())),
                },
            }
        }
        if !of_namespace.is_empty() && !self.cluster.namespaces.contains_key(&namespace) {
            self.added.namespaces.insert(namespace.clone(), Namespace::new(namespace, of_namespace));
        }
        pod
    }

    /// The named ports of something that runs in the same namespace and whose labels the pod has.
    fn ports_like(&self, pod: &Pod) -> Option<Vec<ContainerPort>> {
        let templates = self.templates.get(pod.name.namespace.as_str())?;
        let alike = |labels: &Labels| {
            let part =
                |(key, value): (&String, &String)| !hir::filter::takes_part(key) || pod.labels.get(key) == Some(value);
            !labels.is_empty() && labels.iter().all(part)
        };
        templates.iter().find(|(labels, _)| alike(labels)).map(|(_, ports)| ports.to_vec())
    }

    /// Adds a pod that only records know of, under a name and an address that nobody else has.
    fn make(&mut self, end: &End, pod: Pod, ports_known: bool) -> Place {
        let namespace = if pod.name.namespace.is_empty() { &end.namespace } else { &pod.name.namespace };
        let form = (format!("{namespace}/{}", end.pod), end.labels.clone(), end.address);
        if let Some(name) = self.made.get(&form) {
            return Place::Pod { name: name.clone(), address: None, ports_known };
        }
        let address = self.address(end.address);
        let base = if end.pod.is_empty() { "pod" } else { end.pod.as_str() };
        let name = free_name(namespace, base, &[self.cluster, &self.added]);
        self.owners.insert(address, Owner::Pod(name.clone()));
        let pod = Pod { name: name.clone(), ips: [address].into(), ..pod };
        self.added.pods.insert(name.clone(), pod);
        self.made.insert(form, name.clone());
        Place::Pod { name, address: None, ports_known }
    }

    /// The address of the record where nobody of the facts has it, else one that no pod can have.
    fn address(&mut self, recorded: Option<IpAddr>) -> IpAddr {
        if let Some(address) = recorded.filter(|address| !self.owners.contains_key(address)) {
            return address;
        }
        self.stand_ins += 1;
        stand_in(self.stand_ins, recorded)
    }
}

/// The name of what made a pod, as far as the pod's own name tells it: without the endings that controllers make up.
pub fn of_pod(name: &str) -> &str {
    let made_up = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
    };
    let Some((rest, last)) = name.rsplit_once('-') else { return name };
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest;
    }
    if !made_up(last, 5..=5) {
        return name;
    }
    match rest.rsplit_once('-') {
        Some((workload, hash)) if made_up(hash, 6..=10) => workload,
        _ => rest,
    }
}

/// The facts of one cluster with those of another that it does not know.
pub fn join(mut cluster: Cluster, other: &Cluster) -> Cluster {
    fn absent<K: Ord + Clone, V: Clone>(into: &mut BTreeMap<K, V>, from: &BTreeMap<K, V>) {
        for (key, value) in from {
            if !into.contains_key(key) {
                into.insert(key.clone(), value.clone());
            }
        }
    }
    absent(&mut cluster.namespaces, &other.namespaces);
    absent(&mut cluster.nodes, &other.nodes);
    absent(&mut cluster.cilium_nodes, &other.cilium_nodes);
    absent(&mut cluster.pods, &other.pods);
    absent(&mut cluster.remote_pods, &other.remote_pods);
    absent(&mut cluster.services, &other.services);
    absent(&mut cluster.endpoint_slices, &other.endpoint_slices);
    absent(&mut cluster.workloads, &other.workloads);
    absent(&mut cluster.cidr_groups, &other.cidr_groups);
    for (name, addresses) in &other.dns {
        cluster.dns.entry(name.clone()).or_default().extend(addresses);
    }
    absent(&mut cluster.aliases, &other.aliases);
    cluster.config.kube_apiserver.extend(&other.config.kube_apiserver);
    cluster
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_that_controllers_make_up_are_no_part_of_a_workloads_name() {
        for (pod, workload) in [
            ("web-7d4b9c6f5b-x2x4z", "web"),
            ("db-0", "db"),
            ("cilium-x2x4z", "cilium"),
            ("web", "web"),
            ("web-front", "web-front"),
            ("front-db-12", "front-db"),
        ] {
            assert_eq!(of_pod(pod), workload);
        }
    }
}
