//! Worlds that the one that was read may be instead, because of who an address may belong to.

use super::{Asked, Fact, Missing};
use crate::party;
use crate::world::World;
use driver::Knowledge;
use facts::{Name, Node, Pod};
use flow::{PeerId, Prefix};
use hir::peers::UNKNOWN;
use hir::policy::L3;
use hir::subject::Class;
use hir::{Entity, PeerSelector};
use std::net::IpAddr;

/// Another world, and the same flow in it.
pub(super) struct Instead<'db> {
    pub world: World<'db>,
    pub class: Class,
    pub peer: PeerId,
    /// The peer is a pod of which nothing is known.
    pub pod: bool,
    /// What would tell this world from the one that was read.
    pub because: Missing,
}

/// Every other world that what was read leaves open.
pub(super) fn instead<'db>(world: &World<'db>, asked: &Asked<'_>) -> Vec<Instead<'db>> {
    if world.db.project().knowledge(world.db) == Knowledge::Complete {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut add = |other: World<'db>, pod: bool, because: Missing, address: IpAddr| {
        let end = asked.end;
        let Ok((class, node)) = other.class(&other.ends[end], &other.pods[end]) else { return };
        let peer = other.peers.lookup(node.as_deref(), address);
        found.push(Instead { world: other, class, peer, pod, because });
    };
    let Some(address) = peer_address(world, asked) else { return found };
    match owner(world, address) {
        Owner::Known => {}
        Owner::Node(node) => {
            if let Some(pod) = world.pods[asked.end].as_ref().filter(|pod| pod.node.is_none()) {
                let because = Missing::new(Fact::PodNode, pod.name.to_string());
                add(world.but(|_, pods| place(&mut pods[asked.end], &node)), false, because, address);
            }
        }
        Owner::Unknown { pod, nodes } => {
            if let Some(because) = pod {
                add(
                    world.but(|cluster, _| drop(cluster.pods.insert(nobody(), unread_pod(address)))),
                    true,
                    because,
                    address,
                );
            }
            let own = world.pods[asked.end].as_ref().and_then(|pod| pod.node.clone());
            // One other node stands for all: nothing is known of any.
            let (mine, other): (Vec<String>, Vec<String>) =
                nodes.into_iter().partition(|node| own.as_ref() == Some(node));
            for node in mine.into_iter().chain(other.into_iter().take(1)) {
                let because = Missing::new(Fact::Node, node.as_str());
                let with = world.but(|cluster, _| {
                    let ips = [address].into();
                    cluster.nodes.insert(node.clone(), Node { name: node.clone(), ips, ..Node::default() });
                });
                add(with, false, because, address);
            }
        }
    }
    if world.cluster.kube_apiserver().is_empty()
        && names_apiserver(world)
        && party::pod(&world.cluster, other(world, asked)).is_none()
    {
        let because = Missing::new(Fact::ApiServer, "default/kubernetes");
        let with = world.but(|cluster, _| cluster.config.kube_apiserver.extend([address]));
        add(with, false, because, address);
    }
    found
}

/// What is missing to know whose policies stand at an end that is an address; `None` when it is nobody's for certain.
pub(crate) fn unknown_owner(world: &World<'_>, end: usize) -> Option<Missing> {
    if world.db.project().knowledge(world.db) == Knowledge::Complete {
        return None;
    }
    match owner(world, party::address(&world.ends[end])?) {
        Owner::Unknown { pod, .. } => pod,
        Owner::Known | Owner::Node(_) => None,
    }
}

/// Who has an address.
enum Owner {
    /// A pod that was read, or nobody inside the cluster.
    Known,
    /// A node that was read.
    Node(String),
    /// Perhaps a pod, for want of this fact; perhaps one of these nodes.
    Unknown { pod: Option<Missing>, nodes: Vec<String> },
}

fn owner(world: &World<'_>, address: IpAddr) -> Owner {
    let cluster = &world.cluster;
    if world.unowned == Some(address) {
        return Owner::Known;
    }
    let named = party::Party::Address(address);
    if let Some(node) = party::node(cluster, &named) {
        return Owner::Node(node.to_owned());
    }
    let remote = cluster.remote_pods.values().flat_map(|pods| pods.values());
    if cluster.pods.values().chain(remote).any(|pod| pod.ips.contains(&address)) {
        return Owner::Known;
    }
    let owner = Missing::new(Fact::AddressOwner, address.to_string());
    let service = cluster.services.values().find(|service| service.cluster_ips.contains(&address));
    if let Some(service) = service {
        return Owner::Unknown {
            pod: Some(Missing::new(Fact::ServiceBackends, service.name.to_string())),
            nodes: Vec::new(),
        };
    }
    let inside = world.peers.lookup(None, address) == UNKNOWN;
    // Why: pods and nodes have private addresses unless an object says otherwise; a public one that nothing explains is the world's.
    let may_be_inside = inside || is_private(address);
    let pod = (inside || may_be_inside && cluster.ranges().is_empty()).then_some(owner);
    let in_pod_range = cluster.config.pod_ranges.iter().any(|range| range.covers(Prefix::host(address)));
    let nodes = if may_be_inside && !in_pod_range { unread_nodes(world) } else { Vec::new() };
    if pod.is_none() && nodes.is_empty() { Owner::Known } else { Owner::Unknown { pod, nodes } }
}

/// Nodes that pods say they run on, and that were not read.
fn unread_nodes(world: &World<'_>) -> Vec<String> {
    let read = world.cluster.node_ips();
    let named = world.cluster.pods.values().filter_map(|pod| pod.node.clone());
    let mut nodes: Vec<String> = named.filter(|node| !read.contains_key(node.as_str())).collect();
    nodes.sort();
    nodes.dedup();
    nodes
}

/// Whether an address is of the ranges that networks use inside. Sources: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
fn is_private(address: IpAddr) -> bool {
    const SHARED: [(u8, u8); 2] = [(100, 64), (100, 127)];
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let shared = first == SHARED[0].0 && (SHARED[0].1..=SHARED[1].1).contains(&second);
            v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn other<'w>(world: &'w World<'_>, asked: &Asked<'_>) -> &'w party::Party {
    &world.ends[1 - asked.end]
}

/// The one address that the other end is.
fn peer_address(world: &World<'_>, asked: &Asked<'_>) -> Option<IpAddr> {
    let end = other(world, asked);
    if let Some(address) = party::address(end) {
        return Some(address);
    }
    let addresses = world.cluster.node_ips();
    addresses.get(party::node(&world.cluster, end)?)?.iter().copied().find(|address| match asked.key.protocol() {
        flow::Protocol::ICMP => address.is_ipv4(),
        flow::Protocol::ICMPV6 => address.is_ipv6(),
        _ => true,
    })
}

fn names_apiserver(world: &World<'_>) -> bool {
    let entries = world.policies.iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries);
    let mut peers =
        entries.filter_map(|entry| if let L3::Any(peers) = &entry.l3 { Some(peers) } else { None }).flatten();
    peers.any(|peer| peer.selector == PeerSelector::Entity(Entity::KubeApiserver))
}

/// The name of a pod that was not read. No pod has it: names are never empty.
fn nobody() -> Name {
    Name::new("", "")
}

fn unread_pod(address: IpAddr) -> Pod {
    Pod { name: nobody(), ips: [address].into(), ..Pod::default() }
}

fn place(pod: &mut Option<Pod>, node: &str) {
    if let Some(pod) = pod {
        pod.node = Some(node.to_owned());
    }
}
