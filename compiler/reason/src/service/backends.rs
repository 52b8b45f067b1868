//! Who answers at a port of a service.

use crate::party::Party;
use facts::endpoint_slice::Takes;
use facts::service::{ServicePort, TargetPort};
use facts::{Cluster, ContainerPort, EndpointSlice, Labels, Name, Pod, Service};
use flow::{Family, L4Key};
use hir::peers::NamedPorts;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// One of those who answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    pub party: Party,
    /// The port there.
    pub key: L4Key,
    /// The node that it is on, where that is known.
    pub node: Option<String>,
    /// The families of its addresses; both where it has none yet.
    pub families: BTreeSet<Family>,
    /// When it is chosen.
    pub takes: Takes,
}

/// The port at which those behind a service are asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'p> {
    /// The one that each of them means by a port of the service.
    Target(&'p ServicePort),
    /// The one that was asked: nothing translates it.
    Asked(L4Key),
}

/// Who answers at a port of a service, and where: the pods that it selects, ready or not; the workloads that would make some, where there is
/// no such pod yet; or what its EndpointSlices name, where it selects nobody.
pub(super) fn backends(cluster: &Cluster, service: &Service, at: At<'_>) -> Vec<Backend> {
    if service.kind == "ExternalName" {
        return Vec::new();
    }
    if service.selector.is_empty() {
        let slices = cluster.endpoint_slices.values();
        let mine = slices.filter(|slice| slice.service_name().as_ref() == Some(&service.name));
        let mut named: BTreeMap<(IpAddr, L4Key), Backend> = BTreeMap::new();
        for (key, backend) in mine.flat_map(|slice| of_slice(slice, at)).filter(|(_, it)| it.takes != Takes::Never) {
            // Of an address in several slices the one that is ready counts.
            if named.get(&key).is_none_or(|known| backend.takes <= known.takes) {
                named.insert(key, backend);
            }
        }
        return named.into_values().collect();
    }
    let pods: Vec<Backend> = selected_pods(cluster, service).filter_map(|pod| of_pod(pod, at)).collect();
    if !pods.is_empty() {
        return pods;
    }
    let selected = |namespace: &str, labels: &Labels| {
        namespace == service.name.namespace
            && service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    let workloads = cluster.workloads.values();
    let workloads = workloads.filter(|it| selected(&it.name.namespace, &it.labels) && it.replicas != Some(0));
    let found = workloads.filter_map(|it| {
        Some(Backend {
            party: Party::Workload(it.kind, it.name.clone()),
            key: target(&it.ports, at)?,
            node: None,
            families: [Family::V4, Family::V6].into(),
            takes: Takes::Always,
        })
    });
    found.collect()
}

/// The pods that a service selects.
fn selected_pods<'c>(cluster: &'c Cluster, service: &'c Service) -> impl Iterator<Item = &'c Pod> {
    let from = Name::new(service.name.namespace.clone(), String::new());
    let pods = cluster.pods.range(from..).map(|(_, pod)| pod);
    let pods = pods.take_while(|pod| pod.name.namespace == service.name.namespace);
    pods.filter(|pod| {
        !pod.phase.is_over() && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    })
}

fn of_pod(pod: &Pod, at: At<'_>) -> Option<Backend> {
    let families: BTreeSet<Family> = pod.ips.iter().map(|ip| Family::of(*ip)).collect();
    Some(Backend {
        party: Party::Pod(pod.name.clone()),
        key: target(&pod.ports, at)?,
        node: pod.node.clone(),
        families: if families.is_empty() { [Family::V4, Family::V6].into() } else { families },
        takes: Takes::Always,
    })
}

/// The port of a pod with these ports.
fn target(ports: &[ContainerPort], at: At<'_>) -> Option<L4Key> {
    let port = match at {
        At::Target(port) => port,
        At::Asked(key) => return Some(key),
    };
    let number = match &port.target {
        TargetPort::Number(number) => *number,
        TargetPort::Name(name) => NamedPorts::of(ports, false).get(name, port.protocol).next()?,
    };
    Some(L4Key::new(port.protocol, number))
}

/// The endpoints of a slice that serve a port.
fn of_slice(slice: &EndpointSlice, at: At<'_>) -> Vec<((IpAddr, L4Key), Backend)> {
    let key = match at {
        At::Target(port) => port_of_slice(slice, port).map(|number| L4Key::new(port.protocol, number)),
        At::Asked(key) => Some(key),
    };
    let Some(key) = key else { return Vec::new() };
    let endpoints = slice.endpoints.iter().flat_map(|it| it.addresses.iter().map(move |address| (*address, it)));
    let backend = |(address, it): (IpAddr, &facts::endpoint_slice::Endpoint)| {
        let (party, families) = (Party::Address(address), [Family::of(address)].into());
        ((address, key), Backend { party, key, node: it.node.clone(), families, takes: it.takes })
    };
    endpoints.map(backend).collect()
}

/// The number of a port of a service in a slice: ports of services and of slices are joined by their names.
fn port_of_slice(slice: &EndpointSlice, port: &ServicePort) -> Option<u16> {
    let joined = slice.ports.iter().filter(|it| it.protocol == port.protocol);
    let mut joined = joined.filter(|it| it.name == port.name || it.name.is_empty() || port.name.is_empty());
    match (joined.find_map(|it| it.port), &port.target) {
        (Some(number), _) => Some(number),
        // Why: a slice that is written by hand often leaves its ports to the service.
        (None, TargetPort::Number(number)) if slice.ports.is_empty() => Some(*number),
        (None, TargetPort::Name(_)) if slice.ports.is_empty() => Some(port.port),
        (None, _) => None,
    }
}
