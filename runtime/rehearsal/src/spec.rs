//! From a cluster to the description of a lab.

use facts::{Cluster, Pod};
use flow::Protocol;
use lab::{NodeSpec, PodSpec, PortSpec, RunId, Spec, Transport};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The node of pods that are on none.
const NOWHERE: &str = "node";

/// The lab of a cluster: its nodes, its pods with addresses of their own, and an outside with one address a family beside those that
/// the caller wants. Pods that are over, on the host network or without address are left out.
///
/// A node without address gets one from 192.0.2.0/24 and 2001:db8:ffff::/64 (RFC 5737, RFC 3849); a cluster without nodes one node.
pub fn spec(cluster: &Cluster, run: RunId, outside: &BTreeSet<IpAddr>) -> Spec {
    let pods: Vec<&Pod> = cluster.pods.values().filter(|pod| pod.own_ips().next().is_some()).collect();
    let mut nodes: Vec<NodeSpec> = Vec::new();
    let named = pods.iter().filter_map(|pod| pod.node.clone()).chain(cluster.nodes.keys().cloned());
    let mut names: BTreeSet<String> = named.collect();
    if names.is_empty() || pods.iter().any(|pod| pod.node.is_none()) {
        names.insert(NOWHERE.to_owned());
    }
    for (at, name) in (1..).zip(names) {
        let mut addresses: Vec<IpAddr> =
            cluster.nodes.get(&name).map(|node| node.ips.iter().copied().collect()).unwrap_or_default();
        if !addresses.iter().any(IpAddr::is_ipv4) {
            addresses.push(IpAddr::V4(Ipv4Addr::new(192, 0, 2, at)));
        }
        if !addresses.iter().any(IpAddr::is_ipv6) {
            addresses.push(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, u16::from(at))));
        }
        nodes.push(NodeSpec { name, addresses, ports: Vec::new() });
    }
    let pods = pods.into_iter().map(|pod| PodSpec {
        name: pod.name.to_string(),
        node: pod.node.clone().unwrap_or_else(|| NOWHERE.to_owned()),
        addresses: pod.own_ips().collect(),
        ports: listening(pod),
    });
    Spec { run, nodes, pods: pods.collect(), world: world(outside) }
}

fn listening(pod: &Pod) -> Vec<PortSpec> {
    let ports = pod.ports.iter().filter_map(|port| {
        let transport = match port.protocol {
            Protocol::TCP => Transport::Tcp,
            Protocol::UDP => Transport::Udp,
            _ => return None,
        };
        Some(PortSpec { name: Some(port.name.clone()), transport, number: port.port })
    });
    ports.collect()
}

/// The stand-in outside: documentation addresses, unless the caller names others.
fn world(outside: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
    let mut world: Vec<IpAddr> = outside.iter().copied().collect();
    if !world.iter().any(IpAddr::is_ipv4) {
        world.push(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));
    }
    if !world.iter().any(IpAddr::is_ipv6) {
        world.push(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)));
    }
    world
}
