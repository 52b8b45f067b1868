//! Lays the description out: core first, then world, nodes and pods.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flow::Family;

use super::plan::{Mac, NamespacePlan, Neighbour, Place, Route, VethPlan};
use super::spec::Spec;

/// The gateway of every namespace that has one uplink. No interface owns it; the neighbour entry is what makes it work.
const GATEWAY_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1));
/// The same in IPv6.
const GATEWAY_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
/// The far end of an uplink as the core sees it, whatever addresses a node has.
const NEAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 2));
/// The same in IPv6.
const NEAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2));

const BOTH: [Family; 2] = [Family::V4, Family::V6];

/// The core is first; the world comes before the nodes, the nodes before the pods.
const WORLD: usize = 1;
const FIRST_NODE: usize = 2;

/// The index of `eth0`; `lo` is 1 in every namespace.
pub(crate) const UPLINK: u32 = 2;
/// The first index of a host end.
const FIRST_HOST_END: u32 = 10;

pub(super) fn namespace_of(spec: &Spec, place: Place) -> Option<usize> {
    match place {
        Place::World => Some(WORLD),
        Place::Node(node) => (node < spec.nodes.len()).then_some(FIRST_NODE + node),
        Place::Pod(pod) => (pod < spec.pods.len()).then_some(FIRST_NODE + spec.nodes.len() + pod),
    }
}

pub(super) fn node_of(spec: &Spec, pod: usize) -> Option<usize> {
    let name = &spec.pods.get(pod)?.node;
    spec.nodes.iter().position(|node| node.name == *name)
}

/// Every namespace, in the order core, world, nodes, pods.
pub(super) fn namespaces(spec: &Spec) -> Vec<NamespacePlan> {
    let mut all = vec![core(spec), leaf(spec.run.world(), &spec.world, core_mac(Side::Host, spec.nodes.len()))];
    all.extend((0..spec.nodes.len()).map(|index| node(spec, index)));
    all.extend(spec.pods.iter().enumerate().map(|(index, pod)| {
        let name = spec.run.pod(&pod.name);
        leaf(name, &pod.addresses, pod_mac(Side::Host, index))
    }));
    all
}

/// The router between the nodes and the world: it owns no address, only one route per address.
fn core(spec: &Spec) -> NamespacePlan {
    let mut plan = empty(spec.run.core(), Forwarding::On);
    for index in 0..=spec.nodes.len() {
        let ifindex = host_index(index);
        let (name, peer) = match spec.nodes.get(index) {
            Some(_) => (format!("n{index}"), FIRST_NODE + index),
            None => ("world".to_string(), WORLD),
        };
        let (mac, peer_mac) = (core_mac(Side::Host, index), core_mac(Side::Peer, index));
        plan.veths.push(VethPlan { name, ifindex, mac, peer, peer_mac });
        for address in [NEAR_V4, NEAR_V6] {
            plan.neighbours.push(Neighbour { address, mac: peer_mac, ifindex });
        }
        for address in behind(spec, index) {
            plan.routes.push(through(address, NEAR_V4, NEAR_V6, ifindex));
        }
    }
    plan
}

/// The addresses that the core reaches through its link `index`: a node and its pods, or the world.
fn behind(spec: &Spec, index: usize) -> Vec<IpAddr> {
    let Some(node) = spec.nodes.get(index) else { return spec.world.clone() };
    let pods = spec.pods.iter().filter(|pod| pod.node == node.name);
    node.addresses.iter().chain(pods.flat_map(|pod| &pod.addresses)).copied().collect()
}

/// A node: its own addresses on the uplink, one route and one neighbour for each address of each of its pods.
fn node(spec: &Spec, index: usize) -> NamespacePlan {
    let Some(node) = spec.nodes.get(index) else { return empty(String::new(), Forwarding::On) };
    let mut plan = empty(spec.run.node(&node.name), Forwarding::On);
    plan.addresses.extend(node.addresses.iter().map(|&address| (UPLINK, address)));
    let source = |family| node.addresses.iter().copied().find(|&address| Family::of(address) == family);
    uplink(&mut plan, core_mac(Side::Host, index));
    for route in &mut plan.routes {
        route.source = source(route.family);
    }
    for (pod_index, pod) in spec.pods.iter().enumerate().filter(|(_, pod)| pod.node == node.name) {
        let ifindex = host_index(pod_index);
        let (mac, peer_mac) = (pod_mac(Side::Host, pod_index), pod_mac(Side::Peer, pod_index));
        let peer = FIRST_NODE + spec.nodes.len() + pod_index;
        plan.veths.push(VethPlan { name: format!("p{pod_index}"), ifindex, mac, peer, peer_mac });
        for &address in &pod.addresses {
            let family = Family::of(address);
            plan.routes.push(Route { to: Some(address), family, via: None, ifindex, source: source(family) });
            plan.neighbours.push(Neighbour { address, mac: peer_mac, ifindex });
        }
    }
    plan
}

/// A namespace with addresses, one uplink and a default route: a pod, or the world.
fn leaf(name: String, addresses: &[IpAddr], gateway: Mac) -> NamespacePlan {
    let mut plan = empty(name, Forwarding::Off);
    plan.addresses.extend(addresses.iter().map(|&address| (UPLINK, address)));
    uplink(&mut plan, gateway);
    plan
}

fn uplink(plan: &mut NamespacePlan, gateway: Mac) {
    for address in [GATEWAY_V4, GATEWAY_V6] {
        plan.neighbours.push(Neighbour { address, mac: gateway, ifindex: UPLINK });
    }
    for family in BOTH {
        let via = Some(if family == Family::V4 { GATEWAY_V4 } else { GATEWAY_V6 });
        plan.routes.push(Route { to: None, family, via, ifindex: UPLINK, source: None });
    }
}

fn through(address: IpAddr, v4: IpAddr, v6: IpAddr, ifindex: u32) -> Route {
    let family = Family::of(address);
    let via = Some(if family == Family::V4 { v4 } else { v6 });
    Route { to: Some(address), family, via, ifindex, source: None }
}

fn host_index(index: usize) -> u32 {
    // Cannot panic: `spec::check` keeps counts within 4096.
    FIRST_HOST_END + index as u32
}

#[derive(Clone, Copy)]
enum Side {
    Host,
    Peer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Forwarding {
    On,
    Off,
}

fn pod_mac(side: Side, index: usize) -> Mac {
    mac(0x01, side, index)
}

fn core_mac(side: Side, index: usize) -> Mac {
    mac(0x02, side, index)
}

fn mac(kind: u8, side: Side, index: usize) -> Mac {
    let side = match side {
        Side::Host => 0x00,
        Side::Peer => 0x01,
    };
    let [.., high, low] = index.to_be_bytes();
    Mac([0x02, 0x74, kind, side, high, low])
}

/// A namespace before its links: the settings that new links copy from `default` must be there first.
fn empty(name: String, forwarding: Forwarding) -> NamespacePlan {
    let on = if forwarding == Forwarding::On { "1" } else { "0" };
    let mut sysctls =
        vec![("ipv4/ip_forward".to_string(), on.to_string()), ("ipv6/conf/all/forwarding".to_string(), on.to_string())];
    let mut each = |path: &str, value: &str| {
        for scope in ["all", "default"] {
            sysctls.push((path.replace('*', scope), value.to_string()));
        }
    };
    each("ipv4/conf/*/rp_filter", "0");
    // Two ends may share a link of one router: a redirect would teach a pod a short cut past its gateway.
    each("ipv4/conf/*/send_redirects", "0");
    each("ipv4/conf/*/accept_redirects", "0");
    each("ipv6/conf/*/accept_redirects", "0");
    each("ipv6/conf/*/disable_ipv6", "0");
    // An address must be usable the moment it is added.
    each("ipv6/conf/*/accept_dad", "0");
    each("ipv6/conf/*/accept_ra", "0");
    if forwarding == Forwarding::On {
        // Routers here need no link-local address, and without one they send no multicast reports towards pods.
        each("ipv6/conf/*/addr_gen_mode", "1");
    }
    for (path, value) in [
        // Pods solicit no routers: there is nobody to answer.
        ("ipv6/conf/default/router_solicitations", "0"),
        // A refusal must reach whoever probes, however many ask in one second.
        ("ipv4/icmp_ratelimit", "0"),
        ("ipv4/icmp_msgs_per_sec", "1000000"),
        ("ipv4/icmp_msgs_burst", "1000000"),
        ("ipv6/icmp/ratelimit", "0"),
        // Echo sockets without raw access.
        ("ipv4/ping_group_range", "0 2147483647"),
    ] {
        sysctls.push((path.to_string(), value.to_string()));
    }
    NamespacePlan { name, sysctls, veths: vec![], addresses: vec![], routes: vec![], neighbours: vec![] }
}
