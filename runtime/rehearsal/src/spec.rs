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
/// A node without any address gets one of each family, from ranges that no cluster has; a node that has addresses keeps those and no
/// others. A cluster without nodes gets one node.
pub fn spec(cluster: &Cluster, run: RunId, outside: &BTreeSet<IpAddr>) -> Spec {
    let pods: Vec<&Pod> = cluster.pods.values().filter(|pod| pod.own_ips().next().is_some()).collect();
    let mut nodes: Vec<NodeSpec> = Vec::new();
    let named = pods.iter().filter_map(|pod| pod.node.clone()).chain(cluster.nodes.keys().cloned());
    let mut names: BTreeSet<String> = named.collect();
    if names.is_empty() || pods.iter().any(|pod| pod.node.is_none()) {
        names.insert(NOWHERE.to_owned());
    }
    for (at, name) in (1..=u16::MAX).zip(names) {
        let mut addresses: Vec<IpAddr> =
            cluster.nodes.get(&name).map(|node| node.ips.iter().copied().collect()).unwrap_or_default();
        // Why only then: a node that speaks one family is rehearsed as such.
        if addresses.is_empty() {
            addresses = made_up(at);
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

/// The addresses of the node of some number: from 198.18.0.0/15 and 2001:db8:ffff::/64 (RFC 2544, RFC 3849), which no cluster has.
fn made_up(at: u16) -> Vec<IpAddr> {
    let [high, low] = at.to_be_bytes();
    vec![
        IpAddr::V4(Ipv4Addr::new(198, 18, high, low)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, at)),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;
    use facts::{Fact, Name, Node};

    fn addresses(ips: &[&str]) -> Vec<Vec<IpAddr>> {
        let mut cluster = Cluster::default();
        let ips = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        cluster.insert(Fact::Node(Node { name: "north".into(), ips, ..Node::default() }));
        let ips = ["10.0.0.1".parse().unwrap()].into();
        let pod = Pod { name: Name::new("shop", "web"), node: Some("north".into()), ips, ..Pod::default() };
        cluster.insert(Fact::Pod(pod));
        let spec = spec(&cluster, RunId::new("t").unwrap(), &BTreeSet::new());
        spec.nodes.into_iter().map(|node| node.addresses).collect()
    }

    #[test]
    fn a_node_keeps_its_family_and_only_a_node_without_address_gets_some() {
        assert_eq!(addresses(&["10.9.0.1"]), [["10.9.0.1".parse::<IpAddr>().unwrap()]]);
        let made_up = addresses(&[]).remove(0);
        assert!(made_up.iter().any(IpAddr::is_ipv4) && made_up.iter().any(IpAddr::is_ipv6), "{made_up:?}");
    }
}
