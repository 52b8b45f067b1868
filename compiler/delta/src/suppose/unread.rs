//! Services and nodes that policies speak of and no file tells of.

use super::{Supposed, peers};
use crate::side::Side;
use crate::ways::{ways, ways_of};
use facts::{Labels, Name, Node, Pod, Service};
use hir::labels::{Selector, Source};
use hir::policy::{PeerSelector, Policy, ServiceSelector, Subjects, Which};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The label of whoever is supposed to stand behind a service.
const BEHIND: &str = "tidegate.io/behind";

/// A service of every name and every labels that entries ask for and no service has, with one pod behind it.
pub(super) fn services(old: &mut Side, new: &mut Side, supposed: &mut Supposed, policies: &[Arc<Policy>]) {
    for service in unread(old, new, policies) {
        let name = service.name.clone();
        let behind = Name::new(name.namespace.as_str(), format!("pods behind service {}", name.name));
        let pod = Pod { name: behind.clone(), labels: service.selector.clone(), ..Pod::default() };
        for side in [&mut *old, &mut *new] {
            side.cluster.services.insert(name.clone(), service.clone());
            side.cluster.pods.insert(behind.clone(), pod.clone());
        }
        supposed.pods.insert(behind.clone());
        supposed.behind.insert(behind, name);
    }
}

/// Puts every pod of its namespace behind a service that was not read: any of them may be.
pub(crate) fn put_behind(side: &mut Side, service: &Service) {
    let here = side.cluster.pods.values_mut().filter(|pod| pod.name.namespace == service.name.namespace);
    here.for_each(|pod| pod.labels.extend(service.selector.clone()));
}

/// The services that entries ask for and no file tells of; each selects whoever carries a label that nobody has.
pub(crate) fn unread(old: &Side, new: &Side, policies: &[Arc<Policy>]) -> Vec<Service> {
    let mut found: BTreeSet<(Name, Labels)> = BTreeSet::new();
    for (policy, peer) in peers(policies) {
        let PeerSelector::Services(ServiceSelector { namespace, which }) = peer else { continue };
        let namespace = namespace.as_deref().unwrap_or(match policy.object.namespace.as_str() {
            "" => "default",
            own => own,
        });
        match which {
            Which::Named(name) => drop(found.insert((Name::new(namespace, name.as_str()), Labels::new()))),
            Which::Labelled(selector) => found.extend(ways(selector).into_iter().map(|labels| {
                let shown: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                (Name::new(namespace, shown.join(",")), labels)
            })),
        }
    }
    let is_known = |side: &Side, name: &Name, labels: &Labels| match labels.is_empty() {
        true => side.cluster.services.contains_key(name),
        false => {
            side.cluster.services.values().any(|it| labels.iter().all(|(key, value)| it.labels.get(key) == Some(value)))
        }
    };
    found.retain(|(name, labels)| [old, new].iter().all(|side| !is_known(side, name, labels)));
    let service = |(name, labels): (Name, Labels)| Service {
        selector: [(BEHIND.to_owned(), name.name.clone())].into(),
        name,
        labels,
        ..Service::default()
    };
    found.into_iter().map(service).collect()
}

/// A node beside whatever pods are on, where no file tells of any; and one of every labels that nodes are selected by and none has.
pub(super) fn nodes(old: &mut Side, new: &mut Side, supposed: &mut Supposed, policies: &[Arc<Policy>]) {
    let asked = peers(policies).filter_map(|(_, peer)| match peer {
        PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector) => Some(selector),
        _ => None,
    });
    let sections = policies.iter().flat_map(|policy| &policy.sections);
    let subjects = sections.filter_map(|section| match &section.subjects {
        Subjects::Nodes(selector) => Some(selector),
        _ => None,
    });
    // Some policies ask for labels of nodes as such, others for those that any source gives.
    let node = Source::Other("node".to_owned());
    let of = |selector: &Selector| [ways_of(selector, &node), ways(selector)].concat();
    let mut wanted: BTreeSet<Labels> = asked.chain(subjects).flat_map(of).collect();
    let nobody = [&*old, &*new].iter().all(|side| side.cluster.node_ips().is_empty());
    if nobody {
        wanted.insert(Labels::new());
    }
    let has = |side: &Side, labels: &Labels| {
        let nodes = side.cluster.nodes.values();
        nodes.into_iter().any(|node| labels.iter().all(|(key, value)| node.labels.get(key) == Some(value)))
    };
    wanted.retain(|labels| labels.is_empty() || ![&*old, &*new].iter().any(|side| has(side, labels)));
    for (labels, next) in wanted.into_iter().zip(1..u16::MAX) {
        let shown: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let name = if shown.is_empty() { super::ANY_NODE.to_owned() } else { shown.join(",") };
        let [high, low] = next.to_be_bytes();
        let four = IpAddr::V4(Ipv4Addr::new(240, 254, high, low));
        let six = IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 1, 0, next));
        let node = Node { name: name.clone(), labels, ips: [four, six].into(), ..Node::default() };
        for side in [&mut *old, &mut *new] {
            side.cluster.nodes.insert(name.clone(), node.clone());
        }
        supposed.nodes.insert(name);
    }
}
