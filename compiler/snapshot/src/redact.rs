//! Names become keyed hashes, everywhere the same, so that what was equal stays equal and nothing else is told.

use facts::{
    CidrGroup, CiliumNode, Cluster, Labels, Name, Namespace, Node, Pod, Service, Workload,
    endpoint_slice::{Endpoint, EndpointSlice},
    service::TargetPort,
};
use std::collections::BTreeMap;
use std::fmt;

/// Words that stay: they tell how a cluster is made and not whose it is, and some of them decide.
const KEPT: [&str; 25] = [
    "",
    "antrea-agent",
    "calico-node",
    "canal",
    "cilium",
    "cluster",
    "coredns",
    "default",
    "false",
    "kube-dns",
    "kube-node-lease",
    "kube-ovn-cni",
    "kube-public",
    "kube-router",
    "kube-system",
    "kubernetes",
    "local",
    "node-local-dns",
    "pod",
    "svc",
    "tcp",
    "true",
    "udp",
    "weave-net",
    "*",
];

/// How many digits of a hash are kept. With a letter before them they fit a port name, which holds 15 characters at most.
const DIGITS: usize = 12;

/// A consistent replacement of names. The same salt gives the same replacement, on any machine.
#[derive(Clone)]
pub struct Redaction {
    key: [u8; 32],
}

impl fmt::Debug for Redaction {
    /// Without its key, which would undo it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redaction")
    }
}

/// A pattern of names of which a part of a label is a wildcard, so that no hash can stand for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(pub String);

impl Redaction {
    /// The replacement of a salt.
    pub fn new(salt: &str) -> Redaction {
        Redaction { key: blake3::derive_key("tidegate.io snapshot redaction v1", salt.as_bytes()) }
    }

    /// What stands for a name or for the value of a label.
    pub fn word(&self, word: &str) -> String {
        if KEPT.contains(&word) {
            return word.to_owned();
        }
        let hash = blake3::keyed_hash(&self.key, word.as_bytes()).to_hex();
        format!("x{}", &hash[..DIGITS])
    }

    /// What stands for a DNS name: each of its labels for itself, so that what ended alike ends alike.
    pub fn dns(&self, name: &str) -> String {
        let name = name.trim().to_ascii_lowercase();
        name.split('.').map(|label| self.word(label)).collect::<Vec<_>>().join(".")
    }

    /// What stands for a pattern of DNS names.
    ///
    /// Errors: a label that is partly a wildcard; which names it means hangs on their letters.
    pub fn pattern(&self, pattern: &str) -> Result<String, Pattern> {
        let label = |label: &str| match label {
            "*" | "**" => Ok(label.to_owned()),
            label if label.contains('*') => Err(Pattern(pattern.to_owned())),
            label => Ok(self.word(&label.to_ascii_lowercase())),
        };
        let labels: Result<Vec<String>, Pattern> = pattern.trim().split('.').map(label).collect();
        Ok(labels?.join("."))
    }

    /// Labels with the values replaced; keys stay.
    pub fn labels(&self, labels: &Labels) -> Labels {
        labels.iter().map(|(key, value)| (key.clone(), self.word(value))).collect()
    }

    fn name(&self, name: &Name) -> Name {
        Name::new(self.word(&name.namespace), self.word(&name.name))
    }

    /// The same cluster under other names. Addresses, ports' numbers and settings stay.
    pub fn cluster(&self, cluster: &Cluster) -> Cluster {
        let Cluster {
            config,
            namespaces,
            nodes,
            cilium_nodes,
            pods,
            remote_pods,
            services,
            endpoint_slices,
            workloads,
            cidr_groups,
            node_configs,
            cloud_groups,
            dns,
            aliases,
        } = cluster;
        let mut config = config.clone();
        config.cluster_name = self.word(&config.cluster_name);
        let pods_of = |pods: &BTreeMap<Name, Pod>| by(pods.values().map(|it| self.pod(it)), |it| it.name.clone());
        Cluster {
            config,
            namespaces: by(namespaces.values().map(|it| self.namespace(it)), |it| it.name.clone()),
            nodes: by(nodes.values().map(|it| self.node(it)), |it| it.name.clone()),
            cilium_nodes: by(cilium_nodes.values().map(|it| self.cilium_node(it)), |it| it.name.clone()),
            pods: pods_of(pods),
            remote_pods: remote_pods.iter().map(|(name, pods)| (self.word(name), pods_of(pods))).collect(),
            services: by(services.values().map(|it| self.service(it)), |it| it.name.clone()),
            endpoint_slices: by(endpoint_slices.values().map(|it| self.endpoint_slice(it)), |it| it.name.clone()),
            workloads: by(workloads.values().map(|it| self.workload(it)), |it| (it.kind, it.name.clone())),
            cidr_groups: by(cidr_groups.values().map(|it| self.cidr_group(it)), |it| it.name.clone()),
            node_configs: by(node_configs.values().map(|it| self.node_config(it)), |it| it.name.clone()),
            // Only the policies that name a group could tell it, and they are not part of the facts.
            cloud_groups: cloud_groups.clone(),
            dns: dns.iter().map(|(name, ips)| (self.dns(name), ips.clone())).collect(),
            aliases: aliases.iter().map(|(name, target)| (self.dns(name), self.dns(target))).collect(),
        }
    }

    fn namespace(&self, it: &Namespace) -> Namespace {
        Namespace::new(self.word(&it.name), self.labels(&it.labels))
    }

    fn node(&self, it: &Node) -> Node {
        Node { name: self.word(&it.name), labels: self.labels(&it.labels), ..it.clone() }
    }

    fn cilium_node(&self, it: &CiliumNode) -> CiliumNode {
        CiliumNode { name: self.word(&it.name), labels: self.labels(&it.labels), ..it.clone() }
    }

    fn pod(&self, it: &Pod) -> Pod {
        let mut pod = it.clone();
        pod.name = self.name(&it.name);
        pod.labels = self.labels(&it.labels);
        pod.service_account = self.word(&it.service_account);
        pod.node = it.node.as_ref().map(|node| self.word(node));
        pod.cluster = it.cluster.as_ref().map(|cluster| self.word(cluster));
        pod.ports.iter_mut().for_each(|port| port.name = self.word(&port.name));
        pod
    }

    fn workload(&self, it: &Workload) -> Workload {
        let mut workload = it.clone();
        workload.name = self.name(&it.name);
        workload.labels = self.labels(&it.labels);
        workload.service_account = self.word(&it.service_account);
        workload.ports.iter_mut().for_each(|port| port.name = self.word(&port.name));
        workload
    }

    fn service(&self, it: &Service) -> Service {
        let mut service = it.clone();
        service.name = self.name(&it.name);
        service.labels = self.labels(&it.labels);
        service.selector = self.labels(&it.selector);
        if !it.sharing_key.is_empty() {
            service.sharing_key = self.word(&it.sharing_key);
        }
        let other = |namespace: &String| if namespace == "*" { namespace.clone() } else { self.word(namespace) };
        service.shares_with = it.shares_with.iter().map(other).collect();
        for port in &mut service.ports {
            port.name = self.word(&port.name.to_ascii_lowercase());
            if let TargetPort::Name(name) = &mut port.target {
                *name = self.word(&name.to_ascii_lowercase());
            }
        }
        service
    }

    fn endpoint_slice(&self, it: &EndpointSlice) -> EndpointSlice {
        let mut slice = it.clone();
        slice.name = self.name(&it.name);
        slice.labels = self.labels(&it.labels);
        slice.ports.iter_mut().for_each(|port| port.name = self.word(&port.name.to_ascii_lowercase()));
        let endpoint = |endpoint: &mut Endpoint| endpoint.node = endpoint.node.as_ref().map(|node| self.word(node));
        slice.endpoints.iter_mut().for_each(endpoint);
        slice
    }

    fn node_config(&self, it: &facts::NodeConfig) -> facts::NodeConfig {
        let mut config = it.clone();
        config.name = self.name(&it.name);
        for condition in &mut config.nodes {
            condition.values = condition.values.iter().map(|value| self.word(value)).collect();
        }
        config
    }

    fn cidr_group(&self, it: &CidrGroup) -> CidrGroup {
        CidrGroup { name: self.word(&it.name), labels: self.labels(&it.labels), ..it.clone() }
    }
}

/// A map of values by their own names.
fn by<K: Ord, V>(values: impl Iterator<Item = V>, key: impl Fn(&V) -> K) -> BTreeMap<K, V> {
    values.map(|value| (key(&value), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_salt_gives_the_same_words_and_another_gives_others() {
        let (one, two) = (Redaction::new("a"), Redaction::new("b"));
        assert_eq!(one.word("shop"), Redaction::new("a").word("shop"));
        assert_ne!(one.word("shop"), two.word("shop"));
        assert!(one.word("shop").len() <= 15);
        assert_eq!(one.word("kube-system"), "kube-system");
    }

    #[test]
    fn names_that_end_alike_end_alike() {
        let redaction = Redaction::new("a");
        let (name, pattern) = (redaction.dns("API.example.com."), redaction.pattern("*.example.com").unwrap());
        assert!(name.trim_end_matches('.').ends_with(pattern.trim_start_matches('*')), "{name} {pattern}");
        assert_eq!(redaction.pattern("api-*.example.com"), Err(Pattern("api-*.example.com".into())));
    }
}
