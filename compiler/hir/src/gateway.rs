//! Egress gateways: by which node, and with which address, a pod's packets leave the cluster.
//!
//! ```text
//!  pod, destination ─┬─ inside the cluster ───────────────────────────► the normal way
//!                    └─ longest prefix over destinations and exclusions of every policy that selects the pod
//!                          ├─ none, or an exclusion ──────────────────► the normal way
//!                          └─ a destination ─► gateway node ─► address ► through it, or dropped
//! ```
//! A route is taken by what policy lets out, so the egress decision of the network policies comes first. Source: Cilium's
//! `CiliumEgressGatewayPolicy`, `pkg/egressgateway`.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use facts::{Cluster, Node, Pod};
use flow::{Family, Prefix};

use crate::dialect::Dialect;
use crate::labels::{LabelSet, Selector, Source};
use crate::policy::{ObjectRef, Origin};
use crate::subject::endpoint_labels;

/// One accepted policy of egress gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPolicy {
    /// The object.
    pub object: ObjectRef,
    /// Whose packets; any of these.
    pub sources: Vec<GatewaySource>,
    /// Where to, each with its path.
    pub destinations: Vec<(Prefix, String)>,
    /// Carved out: these go the normal way, each with its path.
    pub excluded: Vec<(Prefix, String)>,
    /// Through which nodes. Shape: at least one; a pod is pinned to one of them.
    pub gateways: Vec<Gateway>,
}

/// Pods whose packets a policy steers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySource {
    /// By their labels, those derived from their namespace included.
    pub pods: Selector,
    /// Only those on nodes of these labels; `None` for every node.
    pub nodes: Option<Selector>,
    /// Where it is.
    pub path: String,
}

/// A node to leave by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Which nodes may be it; the first by name is.
    pub nodes: Selector,
    /// The source address that packets leave with.
    pub address: GatewayAddress,
    /// Where it is.
    pub path: String,
}

/// The source address that packets leave with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayAddress {
    /// The first of the interface that holds the default route.
    DefaultRoute,
    /// The first of this interface.
    Interface(String),
    /// This one. Packets of the other family have none.
    Fixed(IpAddr),
}

/// Which way a packet goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// As if there were no gateway policy.
    Normal,
    /// Through a node.
    Gateway {
        /// Its name.
        node: String,
        /// The source address, where the policy names it; `None` when only the node itself knows.
        address: Option<IpAddr>,
    },
    /// Dropped: no node matches the gateway that the pod is pinned to.
    NoGateway,
    /// Dropped: the gateway has no address of this family.
    NoAddress,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Normal => f.write_str("the normal way"),
            Route::Gateway { node, address: Some(address) } => write!(f, "through {node} as {address}"),
            Route::Gateway { node, address: None } => write!(f, "through {node}"),
            Route::NoGateway => f.write_str("dropped, no gateway"),
            Route::NoAddress => f.write_str("dropped, no address"),
        }
    }
}

/// The ways that a packet may go, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// One, or as many as the gateways that the pod may be pinned to: the pin follows from a number that only a cluster gives it.
    pub ways: BTreeSet<Route>,
    /// The destination or exclusion that decided; empty when none did. More than one when policies disagree on one prefix, which
    /// the cluster leaves undefined.
    pub by: Vec<Origin>,
}

/// Says which way a new connection of a pod to an address goes.
///
/// Cost: every policy. `policies` in any order: where two hold the same prefix for a pod, both ways are possible.
pub fn routes(
    policies: &[&GatewayPolicy],
    pod: &Pod,
    destination: IpAddr,
    cluster: &Cluster,
    dialect: &Dialect,
) -> Routes {
    let normal = Routes { ways: BTreeSet::from([Route::Normal]), by: Vec::new() };
    if pod.host_network || pod.phase.is_over() || is_inside(cluster, destination) {
        return normal;
    }
    let labels = endpoint_labels(pod, cluster, dialect);
    let node = pod.node.as_ref().and_then(|name| cluster.nodes.get(name));
    let mut best: Vec<(Prefix, &GatewayPolicy, bool, &str)> = Vec::new();
    for policy in policies.iter().filter(|policy| policy.selects(&labels, node, dialect)) {
        for (prefix, path, steers) in policy.prefixes().filter(|(prefix, ..)| prefix.contains(destination)) {
            let length = best.first().map_or(0, |(prefix, ..)| prefix.len());
            if best.is_empty() || prefix.len() >= length {
                best.retain(|(other, ..)| other.len() >= prefix.len());
                best.push((prefix, policy, steers, path));
            }
        }
    }
    let mut routes = Routes { ways: BTreeSet::new(), by: Vec::new() };
    // Why: an exclusion is an entry of its own beside the destination of one policy, and of equal prefixes it is the one kept.
    let excludes = |object: &ObjectRef| best.iter().any(|(_, policy, steers, _)| !steers && policy.object == *object);
    for (_, policy, steers, path) in &best {
        match steers {
            true if excludes(&policy.object) => continue,
            true => routes.ways.extend(policy.gateways.iter().map(|it| it.route(destination, cluster))),
            false => drop(routes.ways.insert(Route::Normal)),
        }
        routes.by.push(Origin { object: Arc::new(policy.object.clone()), path: (*path).to_owned() });
    }
    if routes.ways.is_empty() { normal } else { routes }
}

/// Pods, nodes and everything in the ranges of the cluster are reached directly, whatever a policy names.
fn is_inside(cluster: &Cluster, address: IpAddr) -> bool {
    let is_node = cluster.nodes.values().any(|node| node.ips.contains(&address));
    let remote = cluster.remote_pods.values().flat_map(|pods| pods.values());
    let is_pod = cluster.pods.values().chain(remote).any(|pod| pod.own_ips().any(|it| it == address));
    is_node || is_pod || cluster.ranges().iter().any(|range| range.contains(address))
}

impl GatewayPolicy {
    /// Destinations, which steer, and exclusions, which do not.
    fn prefixes(&self) -> impl Iterator<Item = (Prefix, &str, bool)> {
        let steering = self.destinations.iter().map(|(prefix, path)| (*prefix, path.as_str(), true));
        steering.chain(self.excluded.iter().map(|(prefix, path)| (*prefix, path.as_str(), false)))
    }

    fn selects(&self, labels: &LabelSet, node: Option<&Node>, dialect: &Dialect) -> bool {
        let on = |selector: &Option<Selector>| match selector {
            None => true,
            Some(selector) => node.is_some_and(|node| selector.matches(&node_labels(node))),
        };
        if dialect.gateway_nodes_pooled {
            // Why: upstream joins the node parts of all elements into one list beside the pod parts, so that they mix.
            let mut restricted = self.sources.iter().filter(|source| source.nodes.is_some()).peekable();
            let node_fits = restricted.peek().is_none() || restricted.any(|source| on(&source.nodes));
            return node_fits && self.sources.iter().any(|source| source.pods.matches(labels));
        }
        self.sources.iter().any(|source| source.pods.matches(labels) && on(&source.nodes))
    }
}

impl Gateway {
    fn route(&self, destination: IpAddr, cluster: &Cluster) -> Route {
        // Nodes are ordered by name, so the first that matches is the first by name.
        let Some(node) = cluster.nodes.values().find(|node| self.nodes.matches(&node_labels(node))) else {
            return Route::NoGateway;
        };
        match self.address {
            GatewayAddress::Fixed(address) if Family::of(address) != Family::of(destination) => Route::NoAddress,
            GatewayAddress::Fixed(address) => Route::Gateway { node: node.name.clone(), address: Some(address) },
            GatewayAddress::DefaultRoute | GatewayAddress::Interface(_) => {
                Route::Gateway { node: node.name.clone(), address: None }
            }
        }
    }
}

fn node_labels(node: &Node) -> LabelSet {
    let mut set = LabelSet::default();
    for (key, value) in &node.labels {
        set.insert(Source::K8s, key, value);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{Operator, Requirement};
    use facts::{Fact, Name};

    fn label(key: &str, value: &str) -> Selector {
        Selector::new([Requirement::k8s(key, Operator::In(vec![value.to_owned()]))])
    }

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    fn cluster() -> Cluster {
        let mut cluster = Cluster::default();
        for (name, zone, address) in [("n1", "a", "10.0.0.1"), ("n2", "b", "10.0.0.2")] {
            let labels = [("zone".to_owned(), zone.to_owned())].into();
            let ips = [address.parse().expect("an address")].into();
            cluster.insert(Fact::Node(Node { name: name.to_owned(), labels, ips, ..Node::default() }));
        }
        for (name, app, node) in [("web", "web", "n1"), ("db", "db", "n2")] {
            let labels = [("app".to_owned(), app.to_owned())].into();
            let ips = [format!("10.244.1.{}", name.len()).parse().expect("an address")].into();
            let node = Some(node.to_owned());
            cluster.insert(Fact::Pod(Pod { name: Name::new("a", name), labels, ips, node, ..Pod::default() }));
        }
        cluster
    }

    fn policy(name: &str, destinations: &[&str], excluded: &[&str], zones: &[&str]) -> GatewayPolicy {
        let with_path = |list: &[&str]| list.iter().map(|it| (prefix(it), (*it).to_owned())).collect();
        let gateway = |zone: &&str| Gateway {
            nodes: label("zone", zone),
            address: GatewayAddress::DefaultRoute,
            path: String::new(),
        };
        GatewayPolicy {
            object: ObjectRef { kind: "CiliumEgressGatewayPolicy".into(), namespace: String::new(), name: name.into() },
            sources: vec![GatewaySource { pods: label("app", "web"), nodes: None, path: String::new() }],
            destinations: with_path(destinations),
            excluded: with_path(excluded),
            gateways: zones.iter().map(gateway).collect(),
        }
    }

    fn ways(policies: &[&GatewayPolicy], pod: &str, destination: &str, dialect: &Dialect) -> String {
        let cluster = cluster();
        let pod = &cluster.pods[&Name::new("a", pod)];
        let destination = destination.parse().expect("an address");
        let routes = routes(policies, pod, destination, &cluster, dialect);
        routes.ways.iter().map(Route::to_string).collect::<Vec<_>>().join(" or ")
    }

    #[test]
    fn the_longest_prefix_over_destinations_and_exclusions_decides() {
        let narrow = policy("narrow", &["10.20.0.0/16"], &["10.0.0.0/8"], &["b"]);
        assert_eq!(ways(&[&narrow], "web", "10.20.0.1", &Dialect::STANDARD), "through n2");
        assert_eq!(ways(&[&narrow], "web", "10.21.0.1", &Dialect::STANDARD), "the normal way");
        let (wide, inner) =
            (policy("wide", &["0.0.0.0/0"], &[], &["b"]), policy("in", &["203.0.113.0/24"], &[], &["a"]));
        assert_eq!(ways(&[&wide, &inner], "web", "203.0.113.7", &Dialect::STANDARD), "through n1");
        assert_eq!(ways(&[&wide, &inner], "web", "198.51.100.1", &Dialect::STANDARD), "through n2");
        let both = policy("both", &["203.0.113.0/24"], &["203.0.113.0/24"], &["b"]);
        assert_eq!(ways(&[&both], "web", "203.0.113.7", &Dialect::STANDARD), "the normal way");
    }

    #[test]
    fn pods_and_nodes_are_never_reached_through_a_gateway() {
        let all = policy("all", &["0.0.0.0/0"], &[], &["b"]);
        for inside in ["10.244.1.2", "10.0.0.1", "10.0.0.2"] {
            assert_eq!(ways(&[&all], "web", inside, &Dialect::STANDARD), "the normal way", "{inside}");
        }
    }

    #[test]
    fn without_a_node_packets_are_dropped_and_of_several_gateways_each_may_be_the_pods() {
        let none = policy("none", &["0.0.0.0/0"], &[], &["c"]);
        assert_eq!(ways(&[&none], "web", "203.0.113.7", &Dialect::STANDARD), "dropped, no gateway");
        let two = policy("two", &["0.0.0.0/0"], &[], &["b", "c"]);
        assert_eq!(ways(&[&two], "web", "203.0.113.7", &Dialect::STANDARD), "through n2 or dropped, no gateway");
    }

    #[test]
    fn a_fixed_address_serves_its_own_family_only() {
        let mut fixed = policy("fixed", &["0.0.0.0/0", "::/0"], &[], &["b"]);
        fixed.gateways[0].address = GatewayAddress::Fixed("192.0.2.9".parse().expect("an address"));
        assert_eq!(ways(&[&fixed], "web", "203.0.113.7", &Dialect::STANDARD), "through n2 as 192.0.2.9");
        assert_eq!(ways(&[&fixed], "web", "2001:db8::1", &Dialect::STANDARD), "dropped, no address");
    }

    #[test]
    fn the_node_part_of_an_element_is_about_its_own_pods() {
        let mut policy = policy("nodes", &["0.0.0.0/0"], &[], &["b"]);
        policy.sources[0].nodes = Some(label("zone", "b"));
        policy.sources.push(GatewaySource { pods: label("app", "db"), nodes: None, path: String::new() });
        assert_eq!(ways(&[&policy], "web", "203.0.113.7", &Dialect::STANDARD), "the normal way");
        assert_eq!(ways(&[&policy], "db", "203.0.113.7", &Dialect::STANDARD), "through n2");
        policy.sources[1].nodes = Some(label("zone", "a"));
        // Mixed upstream: the pod part of one element and the node part of the other.
        assert_eq!(ways(&[&policy], "db", "203.0.113.7", &Dialect::STANDARD), "the normal way");
        assert_eq!(ways(&[&policy], "db", "203.0.113.7", &Dialect::CILIUM_1_20_EXACT), "through n2");
    }
}
