//! Flows to addresses of services, as they are once a node has translated them: policies see the pods behind, on their own ports.

use super::stable;
use crate::place::{self, Place};
use crate::record::End;
use crate::tally::{EndId, Group, Tally};
use facts::service::TargetPort;
use facts::{Cluster, Labels, Service};
use flow::{L4Key, Protocol};
use hir::labels::NAMESPACE;

/// Puts pods behind services in the place of their addresses. What cannot be translated stays as it is.
pub fn translate(tally: &mut Tally, places: &[Place], cluster: &Cluster) {
    let groups: Vec<Group> = tally.groups.keys().copied().collect();
    for group in groups {
        let Some(Place::Address(address)) = places.get(group.destination.0 as usize) else { continue };
        let Some(service) = place::service_at(cluster, *address) else { continue };
        let Ok(port) = port(service, group.key, cluster) else { continue };
        let destination = behind(tally, service, places, cluster);
        let Some(seen) = tally.groups.remove(&group) else { continue };
        let translated = Group { destination, key: L4Key::new(group.key.protocol(), port), ..group };
        tally.groups.entry(translated).or_default().merge(&seen);
    }
}

/// The port of the pods behind a service for one that clients ask. Errors: why there is none, for people.
pub fn port(service: &Service, key: L4Key, cluster: &Cluster) -> Result<u16, String> {
    let asked = service.ports.iter().find(|port| port.protocol == key.protocol() && port.port == key.low());
    let asked = asked.ok_or_else(|| format!("service {} has no port {}", service.name, key.low()))?;
    if service.selector.is_empty() {
        return Err(format!("service {} selects no pods", service.name));
    }
    match &asked.target {
        TargetPort::Number(port) => Ok(*port),
        TargetPort::Name(name) => named(service, name, key.protocol(), cluster)
            .ok_or_else(|| format!("no pod behind service {} names its port `{name}`", service.name)),
    }
}

fn is_behind(service: &Service, labels: &Labels) -> bool {
    service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn named(service: &Service, name: &str, protocol: Protocol, cluster: &Cluster) -> Option<u16> {
    let pods = cluster.pods.values().map(|it| (&it.name, &it.labels, &it.ports));
    let all = pods.chain(cluster.workloads.values().map(|it| (&it.name, &it.labels, &it.ports)));
    let mut ports = all
        .filter(|(it, labels, _)| it.namespace == service.name.namespace && is_behind(service, labels))
        .flat_map(|(_, _, ports)| ports);
    ports.find(|port| port.name == name && port.protocol == protocol).map(|port| port.port)
}

/// An end behind a service: one that was recorded, else a pod of the facts, else one with the labels that the service asks for.
fn behind(tally: &mut Tally, service: &Service, places: &[Place], cluster: &Cluster) -> EndId {
    let namespace = &service.name.namespace;
    let of = |place: &Place| match place {
        Place::Pod { name, .. } if name.namespace == *namespace => cluster.pods.get(name),
        _ => None,
    };
    let recorded =
        places.iter().enumerate().filter(|(_, place)| of(place).is_some_and(|it| is_behind(service, &it.labels)));
    // The least by what it is, not by when it was met.
    if let Some((at, _)) = recorded.min_by_key(|(at, _)| &tally.ends[*at]) {
        return EndId(at as u32);
    }
    let known = cluster.pods.values().find(|pod| pod.name.namespace == *namespace && is_behind(service, &pod.labels));
    if let Some(pod) = known {
        let (namespace, pod) = (pod.name.namespace.clone(), pod.name.name.clone());
        return tally.end(End { namespace, pod, ..End::default() });
    }
    let stable = service.selector.iter().filter(|(key, value)| stable::is_stable(key, value));
    let labels =
        stable.map(|(key, value)| format!("k8s:{key}={value}")).chain([format!("k8s:{NAMESPACE}={namespace}")]);
    let (labels, workload) = (labels.collect(), service.name.name.clone());
    tally.end(End { namespace: namespace.clone(), workload, labels, ..End::default() })
}
