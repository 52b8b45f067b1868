//! The whole cluster as one value, and what cannot be read from objects: its configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use flow::Prefix;

use crate::node_config::PER_NODE;
use crate::{
    AgentConfig, CidrGroup, CiliumNode, CloudGroups, DnsCache, EndpointSlice, Labels, Name, Namespace, Node,
    NodeConfig, Pod, Service, Workload, WorkloadKind,
};

/// Everything that policies can be about.
///
/// Shape: maps ordered by name; any of them may be empty. Equal clusters are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// What no object tells.
    pub config: Config,
    /// By name. A pod whose namespace is absent here has a namespace without labels.
    pub namespaces: BTreeMap<String, Namespace>,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// What the agents of nodes say of them, by name.
    pub cilium_nodes: BTreeMap<String, CiliumNode>,
    /// Pods of this cluster.
    pub pods: BTreeMap<Name, Pod>,
    /// Pods of other clusters of a mesh, by cluster. Nothing is enforced for them here.
    pub remote_pods: BTreeMap<String, BTreeMap<Name, Pod>>,
    /// By name.
    pub services: BTreeMap<Name, Service>,
    /// By name of the slice.
    pub endpoint_slices: BTreeMap<Name, EndpointSlice>,
    /// By kind, then name.
    pub workloads: BTreeMap<(WorkloadKind, Name), Workload>,
    /// Named sets of address prefixes (CiliumCIDRGroup), by name.
    pub cidr_groups: BTreeMap<String, CidrGroup>,
    /// Settings of the agent on some nodes, by namespace and name.
    pub node_configs: BTreeMap<Name, NodeConfig>,
    /// The addresses of groups of a cloud, by what a policy writes of them.
    pub cloud_groups: BTreeMap<String, BTreeSet<Prefix>>,
    /// What is known from DNS answers: lower-case name without final dot → addresses.
    pub dns: BTreeMap<String, BTreeSet<IpAddr>>,
    /// CNAME records of these answers: name → the name that it stands for. No address is kept under the latter because of it.
    pub aliases: BTreeMap<String, String>,
}

/// What no object of the cluster tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name of this cluster in a mesh.
    pub cluster_name: String,
    /// Whether IPv4 is in use.
    pub ipv4: bool,
    /// Whether IPv6 is in use.
    pub ipv6: bool,
    /// When policies are enforced.
    pub enforcement: Enforcement,
    /// Whether a peer selector that names no cluster means pods of this cluster only.
    pub policy_default_local_cluster: bool,
    /// Whether policies with a node selector are enforced.
    pub host_firewall: bool,
    /// Ranges that pod addresses come from, beside those that nodes name.
    pub pod_ranges: BTreeSet<Prefix>,
    /// Ranges that node addresses come from.
    pub node_ranges: BTreeSet<Prefix>,
    /// Addresses of the API server, beside those that the EndpointSlices of `default/kubernetes` name.
    pub kube_apiserver: BTreeSet<IpAddr>,
    /// Who enforces policies in the cluster now, as far as can be seen.
    pub enforcer: Option<Enforcer>,
    /// Whether nodes can be selected by their labels (`enable-node-selector-labels`).
    pub node_selector_labels: bool,
    /// Whether prefixes that match by identity match nodes too (`policy-cidr-match-mode`, word `nodes`).
    pub prefixes_match_nodes: bool,
    /// Whether prefixes that match by identity match pods too (`policy-cidr-match-mode`, word `pods`).
    pub prefixes_match_pods: bool,
    /// Whether what policies deny is let through all the same and only recorded (`policy-audit-mode`).
    pub audit: bool,
    /// Whether a policy may leave its direction open (`enable-non-default-deny-policies`); otherwise every rule isolates.
    pub open_policies: bool,
    /// Whether a pod's own node always reaches it, unless a rule denies it (`allow-localhost`).
    pub own_node_reaches_pods: bool,
    /// Whether policies may speak of ICMP types (`enable-icmp-rules`).
    pub icmp_rules: bool,
    /// Whether policies may have rules for a proxy (`enable-l7-proxy`).
    pub proxy_rules: bool,
    /// Whether ClusterNetworkPolicies are read (`enable-k8s-cluster-network-policy`); `None` where nothing tells how the agent is set up.
    pub cluster_policies: Option<bool>,
    /// Whether NetworkPolicies are read (`enable-k8s-networkpolicy`).
    pub network_policies: bool,
    /// Whether CiliumNetworkPolicies are read (`enable-cilium-network-policy`).
    pub cilium_policies: bool,
    /// Whether CiliumClusterwideNetworkPolicies are read (`enable-cilium-clusterwide-network-policy`).
    pub clusterwide_policies: bool,
    /// Whether later fragments of IPv4 take the ports of their first (`enable-ipv4-fragment-tracking`).
    pub fragments4: bool,
    /// Likewise of IPv6 (`enable-ipv6-fragment-tracking`).
    pub fragments6: bool,
    /// How packets travel between nodes.
    pub tunnel: Tunnel,
    /// Whether the agent translates the addresses of services in the place of kube-proxy (`kube-proxy-replacement`); `None` where nothing
    /// tells.
    pub replaces_kube_proxy: Option<bool>,
    /// Which labels take part in identities, beside the default (`labels`).
    pub labels: LabelFilter,
    /// Which labels of nodes take part in identities (`node-labels`); empty for all.
    pub node_labels: LabelFilter,
}

impl Default for Config {
    /// A single cluster called `default` with both families and enforcement by policy.
    fn default() -> Config {
        Config {
            cluster_name: "default".to_owned(),
            ipv4: true,
            ipv6: true,
            enforcement: Enforcement::Default,
            policy_default_local_cluster: true,
            host_firewall: false,
            pod_ranges: BTreeSet::new(),
            node_ranges: BTreeSet::new(),
            kube_apiserver: BTreeSet::new(),
            enforcer: None,
            node_selector_labels: false,
            prefixes_match_nodes: false,
            prefixes_match_pods: false,
            audit: false,
            open_policies: true,
            own_node_reaches_pods: true,
            icmp_rules: true,
            proxy_rules: true,
            cluster_policies: None,
            network_policies: true,
            cilium_policies: true,
            clusterwide_policies: true,
            fragments4: true,
            fragments6: true,
            tunnel: Tunnel::default(),
            replaces_kube_proxy: None,
            labels: LabelFilter::default(),
            node_labels: LabelFilter::default(),
        }
    }
}

impl Config {
    /// The UDP port at which nodes take packets out of a tunnel; `None` where there is none, or where nothing tells of one.
    pub fn tunnel_port(&self) -> Option<u16> {
        let of_protocol = match self.tunnel.protocol {
            TunnelProtocol::Vxlan => 8472,
            TunnelProtocol::Geneve => 6081,
        };
        let port = if self.tunnel.port == 0 { of_protocol } else { self.tunnel.port };
        (self.tunnel.routing == Some(true)).then_some(port)
    }
}

/// How packets travel between nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tunnel {
    /// Whether through a tunnel (`routing-mode`); `None` where nothing tells.
    pub routing: Option<bool>,
    /// How they are wrapped (`tunnel-protocol`).
    pub protocol: TunnelProtocol,
    /// To which UDP port (`tunnel-port`); 0 for that of the protocol.
    pub port: u16,
}

/// How packets are wrapped for their way between nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TunnelProtocol {
    /// RFC 7348, at port 8472 as Linux has it.
    #[default]
    Vxlan,
    /// RFC 8926, at port 6081.
    Geneve,
}

/// Which labels take part in identities, as the setting of that name says it.
///
/// Shape: patterns in the order of writing. Source: Cilium's `--labels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelFilter {
    /// The patterns.
    pub patterns: Vec<LabelPattern>,
}

/// One pattern of a [`LabelFilter`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelPattern {
    /// Labels that match are left out; otherwise they are let in, and what no pattern lets in is left out.
    pub leaves_out: bool,
    /// The source that the label must have; empty for any.
    pub source: String,
    /// A regular expression that must match the key from its beginning.
    pub key: String,
}

impl LabelFilter {
    /// Reads a list such as `k8s:app !io\\.example`, with spaces between its patterns.
    pub fn parse(text: &str) -> LabelFilter {
        let pattern = |word: &str| {
            let (leaves_out, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let (source, key) = word.split_once(':').unwrap_or(("", word));
            LabelPattern { leaves_out, source: source.to_owned(), key: key.to_owned() }
        };
        LabelFilter { patterns: text.split_whitespace().map(pattern).collect() }
    }
}

/// When policies are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Enforcement {
    /// A direction of a pod is isolated when some policy isolates it.
    #[default]
    Default,
    /// Every pod is isolated in both directions, policy or none.
    Always,
    /// Policies are ignored.
    Never,
}

/// A network plugin that enforces policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Enforcer {
    /// Cilium.
    Cilium,
    /// Calico, or Canal.
    Calico,
    /// Antrea.
    Antrea,
    /// Another one that runs pods of this name.
    Other(String),
}

/// One decoded object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A namespace.
    Namespace(Namespace),
    /// A pod of this cluster, or of another when [`Pod::cluster`] says so.
    Pod(Pod),
    /// A node.
    Node(Node),
    /// A service.
    Service(Service),
    /// Backends of a service.
    EndpointSlice(EndpointSlice),
    /// Something that makes pods.
    Workload(Workload),
    /// A named set of prefixes.
    CidrGroup(CidrGroup),
    /// A node as its agent describes it.
    CiliumNode(CiliumNode),
    /// How the cluster's own agent is set up.
    AgentConfig(AgentConfig),
    /// What is known from DNS answers.
    DnsCache(DnsCache),
    /// Settings of the agent on some nodes.
    NodeConfig(NodeConfig),
    /// The addresses of groups of a cloud.
    CloudGroups(CloudGroups),
}

impl Cluster {
    /// Puts one object in its place; an object of the same kind and name is replaced.
    pub fn insert(&mut self, fact: Fact) {
        match fact {
            Fact::Namespace(it) => drop(self.namespaces.insert(it.name.clone(), it)),
            Fact::Pod(it) => match it.cluster.clone() {
                Some(cluster) if cluster != self.config.cluster_name => {
                    self.remote_pods.entry(cluster).or_default().insert(it.name.clone(), it);
                }
                _ => drop(self.pods.insert(it.name.clone(), it)),
            },
            Fact::Node(it) => drop(self.nodes.insert(it.name.clone(), it)),
            Fact::Service(it) => drop(self.services.insert(it.name.clone(), it)),
            Fact::EndpointSlice(it) => drop(self.endpoint_slices.insert(it.name.clone(), it)),
            Fact::Workload(it) => drop(self.workloads.insert((it.kind, it.name.clone()), it)),
            Fact::CidrGroup(it) => drop(self.cidr_groups.insert(it.name.clone(), it)),
            Fact::CiliumNode(it) => drop(self.cilium_nodes.insert(it.name.clone(), it)),
            Fact::AgentConfig(it) => {
                it.apply(&mut self.config);
                self.rehome();
            }
            Fact::NodeConfig(it) => drop(self.node_configs.insert(it.name.clone(), it)),
            Fact::CloudGroups(it) => {
                for (group, prefixes) in it.groups {
                    self.cloud_groups.entry(group).or_default().extend(prefixes);
                }
            }
            Fact::DnsCache(it) => {
                for (name, addresses) in it.names {
                    self.dns.entry(name).or_default().extend(addresses);
                }
                self.aliases.extend(it.aliases);
            }
        }
    }

    /// Puts pods where they belong once the cluster's own name is another, so that the order of facts does not matter.
    fn rehome(&mut self) {
        let remote = std::mem::take(&mut self.remote_pods);
        let all: Vec<Pod> = remote.into_values().flat_map(BTreeMap::into_values).collect();
        let named = |pod: &Pod| pod.cluster.is_some();
        let ours: Vec<Name> = self.pods.values().filter(|pod| named(pod)).map(|pod| pod.name.clone()).collect();
        let ours: Vec<Pod> = ours.iter().filter_map(|name| self.pods.remove(name)).collect();
        for pod in all.into_iter().chain(ours) {
            self.insert(Fact::Pod(pod));
        }
    }

    /// The settings of the agent on one node that decide about policies there, where they are other than those of the cluster.
    pub fn settings_of(&self, node: Option<&str>) -> Labels {
        let mut found = Labels::new();
        let Some(node) = node.and_then(|name| self.nodes.get(name)).filter(|_| !self.node_configs.is_empty()) else {
            return found;
        };
        for config in self.node_configs.values().filter(|config| config.selects(&node.labels)) {
            let ours = config.data.iter().filter(|(key, _)| PER_NODE.contains(&key.as_str()));
            found.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
        }
        found
    }

    /// Every prefix of a named set or of a group of a cloud.
    pub fn grouped_prefixes(&self) -> impl Iterator<Item = &Prefix> {
        let of_sets = self.cidr_groups.values().flat_map(|group| &group.prefixes);
        of_sets.chain(self.cloud_groups.values().flatten())
    }

    /// Every address of a node, by its name: those of its Node and those that its agent adds.
    pub fn node_ips(&self) -> BTreeMap<&str, BTreeSet<IpAddr>> {
        let mut found: BTreeMap<&str, BTreeSet<IpAddr>> = BTreeMap::new();
        let agents = self.cilium_nodes.values().map(|node| (node.name.as_str(), &node.ips));
        for (name, ips) in self.nodes.values().map(|node| (node.name.as_str(), &node.ips)).chain(agents) {
            found.entry(name).or_default().extend(ips);
        }
        found
    }

    /// The labels of a node: those of its Node, else those that its agent repeats.
    pub fn node_labels(&self, name: &str) -> Option<&Labels> {
        let of_node = self.nodes.get(name).map(|node| &node.labels);
        of_node.or_else(|| self.cilium_nodes.get(name).map(|node| &node.labels))
    }

    /// The addresses that serve the API: those configured and those of the EndpointSlices of `default/kubernetes`.
    pub fn kube_apiserver(&self) -> BTreeSet<IpAddr> {
        let api = Name::new("default", "kubernetes");
        let slices = self.endpoint_slices.values().filter(|slice| slice.service_name().as_ref() == Some(&api));
        let found =
            slices.flat_map(|slice| slice.endpoints.iter().flat_map(|endpoint| endpoint.addresses.iter().copied()));
        self.config.kube_apiserver.iter().copied().chain(found).collect()
    }

    /// Ranges whose addresses are inside the cluster: those configured and those that nodes name for their pods.
    pub fn ranges(&self) -> BTreeSet<Prefix> {
        let of_agents = self.cilium_nodes.values().flat_map(|node| &node.pod_cidrs);
        let of_nodes = self.nodes.values().flat_map(|node| &node.pod_cidrs).chain(of_agents).copied();
        self.config.pod_ranges.iter().chain(&self.config.node_ranges).copied().chain(of_nodes).collect()
    }

    /// Who enforces policies: as configured, else as the pods and DaemonSets of the network plugins tell.
    pub fn enforcer(&self) -> Option<Enforcer> {
        let pods = self.pods.values().map(|pod| (&pod.labels, &pod.name));
        let agents = self.daemon_sets().map(|set| (&set.labels, &set.name));
        self.config.enforcer.clone().or_else(|| {
            pods.chain(agents).find_map(|(labels, name)| {
                match labels.get("k8s-app").or(labels.get("component"))?.as_str() {
                    "cilium" => Some(Enforcer::Cilium),
                    "calico-node" | "canal" => Some(Enforcer::Calico),
                    "antrea-agent" => Some(Enforcer::Antrea),
                    "kube-router" | "kube-ovn-cni" | "weave-net" => Some(Enforcer::Other(name.name.clone())),
                    _ => None,
                }
            })
        })
    }

    fn daemon_sets(&self) -> impl Iterator<Item = &Workload> {
        self.workloads.values().filter(|workload| workload.kind == WorkloadKind::DaemonSet)
    }

    /// The version of Cilium that runs, as the tag of its agent's image tells: major and minor. Where agents differ, the oldest.
    pub fn cilium_version(&self) -> Option<(u32, u32)> {
        let images = self.pods.values().map(|pod| &pod.agent_image);
        let images = images.chain(self.daemon_sets().map(|set| &set.agent_image));
        images.filter_map(|image| version_of(image.as_deref()?)).min()
    }
}

/// Major and minor of `quay.io/cilium/cilium:v1.19.3@sha256:…`; `None` for a tag that is no version.
fn version_of(image: &str) -> Option<(u32, u32)> {
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    let (_registry, tag) = image.rsplit('/').next()?.split_once(':')?;
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, cluster: Option<&str>) -> Pod {
        Pod { name: Name::new("a", name), cluster: cluster.map(str::to_owned), ..Pod::default() }
    }

    #[test]
    fn insertion_order_does_not_matter() {
        let (mut one, mut two) = (Cluster::default(), Cluster::default());
        for name in ["x", "y"] {
            one.insert(Fact::Pod(pod(name, None)));
        }
        for name in ["y", "x"] {
            two.insert(Fact::Pod(pod(name, None)));
        }
        assert_eq!(one, two);
    }

    #[test]
    fn the_cluster_may_be_named_before_or_after_its_pods() {
        let data = [("cluster-name".to_owned(), "east".to_owned())].into();
        let facts =
            [Fact::Pod(pod("x", Some("east"))), Fact::Pod(pod("y", None)), Fact::AgentConfig(AgentConfig { data })];
        let (mut one, mut two) = (Cluster::default(), Cluster::default());
        facts.iter().cloned().for_each(|fact| one.insert(fact));
        facts.iter().rev().cloned().for_each(|fact| two.insert(fact));
        assert_eq!((one.pods.len(), one.remote_pods.len()), (2, 0));
        assert_eq!(one, two);
    }

    #[test]
    fn the_tag_of_the_agents_image_tells_the_version() {
        for (image, wanted) in [
            ("quay.io/cilium/cilium:v1.19.3@sha256:0", Some((1, 19))),
            ("registry:5000/cilium:1.20.0-rc.1", Some((1, 20))),
            ("registry:5000/cilium", None),
            ("quay.io/cilium/cilium:latest", None),
        ] {
            assert_eq!(version_of(image), wanted, "{image}");
        }
    }

    #[test]
    fn a_pod_of_another_cluster_does_not_replace_ours() {
        let mut cluster = Cluster::default();
        cluster.insert(Fact::Pod(pod("x", None)));
        cluster.insert(Fact::Pod(pod("x", Some("east"))));
        assert_eq!((cluster.pods.len(), cluster.remote_pods["east"].len()), (1, 1));
    }
}
