//! Who answers at a port of a service.

use crate::party::Party;
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
}

/// Who answers at a port of a service, and where: the pods that it selects, ready or not; the workloads that would make some, where there is
/// no such pod yet; or what its EndpointSlices name, where it selects nobody.
pub(super) fn backends(cluster: &Cluster, service: &Service, port: &ServicePort) -> Vec<Backend> {
    if service.kind == "ExternalName" {
        return Vec::new();
    }
    if service.selector.is_empty() {
        let slices = cluster.endpoint_slices.values();
        let mine = slices.filter(|slice| slice.service_name().as_ref() == Some(&service.name));
        let named: BTreeMap<(IpAddr, L4Key), Backend> = mine.flat_map(|slice| of_slice(slice, port)).collect();
        return named.into_values().collect();
    }
    let pods: Vec<Backend> = selected_pods(cluster, service).filter_map(|pod| of_pod(pod, port)).collect();
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
            key: target(&it.ports, port)?,
            node: None,
            families: [Family::V4, Family::V6].into(),
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

fn of_pod(pod: &Pod, port: &ServicePort) -> Option<Backend> {
    let families: BTreeSet<Family> = pod.ips.iter().map(|ip| Family::of(*ip)).collect();
    Some(Backend {
        party: Party::Pod(pod.name.clone()),
        key: target(&pod.ports, port)?,
        node: pod.node.clone(),
        families: if families.is_empty() { [Family::V4, Family::V6].into() } else { families },
    })
}

/// The port of a pod with these ports.
fn target(ports: &[ContainerPort], port: &ServicePort) -> Option<L4Key> {
    let number = match &port.target {
        TargetPort::Number(number) => *number,
        TargetPort::Name(name) => NamedPorts::of(ports, false).get(name, port.protocol).next()?,
    };
    Some(L4Key::new(port.protocol, number))
}

/// The endpoints of a slice that serve a port: ports of services and of slices are joined by their names.
fn of_slice(slice: &EndpointSlice, port: &ServicePort) -> Vec<((IpAddr, L4Key), Backend)> {
    let joined = slice.ports.iter().filter(|it| it.protocol == port.protocol);
    let joined = joined.filter(|it| it.name == port.name || it.name.is_empty() || port.name.is_empty());
    let number = match joined.filter_map(|it| it.port).next() {
        Some(number) => number,
        // Why: a slice that is written by hand often leaves its ports to the service.
        None if slice.ports.is_empty() => match port.target {
            TargetPort::Number(number) => number,
            TargetPort::Name(_) => port.port,
        },
        None => return Vec::new(),
    };
    let key = L4Key::new(port.protocol, number);
    let backend = |address, node: &Option<String>| {
        let (party, families) = (Party::Address(address), [Family::of(address)].into());
        ((address, key), Backend { party, key, node: node.clone(), families })
    };
    let endpoints = slice.endpoints.iter();
    endpoints.flat_map(|it| it.addresses.iter().map(|address| backend(*address, &it.node))).collect()
}
