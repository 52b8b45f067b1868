//! The two ends of a flow: who a word names, whose policy is asked, and by which addresses the other sees it.

use super::cluster::{World as Facts, full_name};
use super::row::Ask;
use crate::engine::{Place, World};
use facts::service::TargetPort;
use facts::{Name, Pod};
use flow::{Family, L4Key, Protocol};
use hir::subject::{Class, Subject, SubjectKind};
use hir::{LabelSet, NamedPorts};
use std::net::IpAddr;

/// One end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A pod of this cluster or of another.
    Pod(Box<Pod>),
    /// A node itself.
    Node(String),
    /// An address.
    Address(IpAddr),
    /// A party without an address in the facts: `health`, `ingress`, `init` or `unmanaged`.
    Reserved(String),
    /// The health endpoint (`health`) or the proxy (`ingress`) of a node.
    Special(String, String),
}

/// Finds whom a word names: `namespace/pod`, `cluster:namespace/pod`, a node, a named address, an address, `reserved:NAME`.
///
/// Errors: a word that names nobody.
pub fn named(facts: &Facts, word: &str) -> Result<End, String> {
    let nobody = || format!("`{word}` names nobody");
    if let Some(name) = word.strip_prefix("reserved:") {
        let known = World::entity(name, Family::V4).is_some();
        return known.then(|| End::Reserved(name.to_owned())).ok_or_else(nobody);
    }
    if let Some(address) = word.parse().ok().or_else(|| facts.addresses.get(word).copied()) {
        return Ok(End::Address(address));
    }
    if facts.cluster.nodes.contains_key(word) {
        return Ok(End::Node(word.to_owned()));
    }
    if let Some((label @ ("health" | "ingress"), node)) = word.split_once(':') {
        let known = facts.cluster.cilium_nodes.contains_key(node);
        return known.then(|| End::Special(label.to_owned(), node.to_owned())).ok_or_else(nobody);
    }
    let pod = match word.split_once(':') {
        Some((mesh, rest)) => facts.cluster.remote_pods.get(mesh).and_then(|pods| pods.get(&full_name(rest).ok()?)),
        None => full_name(word).ok().and_then(|name| facts.cluster.pods.get(&name)),
    };
    pod.map(|pod| End::Pod(Box::new(pod.clone()))).ok_or_else(nobody)
}

/// What a service makes of a key for one backend: the target port, by number or by the name that the backend gives it.
///
/// Errors: a service that is not there or has no such port.
pub fn translated(facts: &Facts, service: &str, backend: &End, ask: Ask) -> Result<Ask, String> {
    let none = || format!("the service `{service}` has no such port");
    let Ask::Key(key) = ask else { return Err(none()) };
    let service =
        facts.cluster.services.get(&full_name(service)?).ok_or_else(|| format!("`{service}` is no service"))?;
    let port =
        service.ports.iter().find(|it| it.protocol == key.protocol() && it.port == key.low()).ok_or_else(none)?;
    let target = match (&port.target, backend) {
        (TargetPort::Number(number), _) => Some(*number),
        (TargetPort::Name(name), End::Pod(pod)) => NamedPorts::of(&pod.ports, false).get(name, key.protocol()).next(),
        _ => None,
    };
    Ok(Ask::Key(L4Key::new(key.protocol(), target.ok_or_else(none)?)))
}

impl End {
    /// Whether both are one pod: what it says to itself never leaves it.
    pub fn is_same_pod(&self, other: &End) -> bool {
        let name = |end: &End| match end {
            End::Pod(pod) if !pod.host_network => Some((pod.cluster.clone(), pod.name.clone())),
            _ => None,
        };
        name(self).is_some() && name(self) == name(other)
    }

    /// The subject whose policy is asked at this end; `None` where nothing is enforced.
    pub fn place(&self, world: &World<'_>) -> Option<Place> {
        match self {
            End::Pod(pod) if pod.host_network => world.node(pod.node.as_deref()?),
            End::Pod(pod) if pod.cluster.is_some() => None,
            End::Pod(pod) => world.pod(&pod.name),
            End::Node(node) => world.node(node),
            End::Special(label, node) => world.special(label, node),
            End::Reserved(name) if name == "init" => Some(Place {
                subject: Subject::Pod(Name::new("", "init")),
                class: Class { kind: SubjectKind::Init, labels: LabelSet::reserved(&["init"]), ..Class::default() },
                node: None,
                addresses: self.addresses(world).into_iter().collect(),
                by_service: false,
            }),
            End::Address(_) | End::Reserved(_) => None,
        }
    }

    /// The addresses that packets of this end carry.
    pub fn addresses(&self, world: &World<'_>) -> Vec<IpAddr> {
        match self {
            End::Pod(pod) => pod.ips.iter().copied().collect(),
            End::Node(node) => world.cluster().nodes.get(node).into_iter().flat_map(|it| it.ips.clone()).collect(),
            End::Address(address) => vec![*address],
            End::Special(label, node) => {
                world.special(label, node).into_iter().flat_map(|place| place.addresses).collect()
            }
            End::Reserved(name) => {
                [Family::V4, Family::V6].into_iter().filter_map(|family| World::entity(name, family)).collect()
            }
        }
    }
}

impl Ask {
    /// The key of a flow in this family; `None` for a message of the other family.
    pub fn key(self, family: Family) -> Option<L4Key> {
        match (self, family) {
            (Ask::Key(key), Family::V4) => (key.protocol() != Protocol::ICMPV6).then_some(key),
            (Ask::Key(key), Family::V6) => (key.protocol() != Protocol::ICMP).then_some(key),
            (Ask::Ping, Family::V4) => Some(L4Key::icmp(Protocol::ICMP, 8, 0)),
            (Ask::Ping, Family::V6) => Some(L4Key::icmp(Protocol::ICMPV6, 128, 0)),
        }
    }
}
