//! Names in the making: workloads for pods, owners for addresses.

use super::{Names, supposed_name};
use crate::suppose::{Supposed, carries};
use facts::{Cluster, Labels, Name, Pod};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Labels by which pods of one workload differ.
const OF_ONE_POD: [&str; 6] = [
    "pod-template-hash",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "pod-template-generation",
];

/// What pods are told apart by: their namespace and their labels.
type Alike<'p> = (&'p str, Vec<(&'p String, &'p String)>);

impl Names {
    /// What everybody of two clusters is called.
    pub fn of(old: &Cluster, new: &Cluster, supposed: Supposed) -> Names {
        let mut known = owners(old);
        known.extend(owners(new));
        let nodes = new.node_ips().into_keys().filter(|it| !supposed.nodes.contains(*it)).count();
        let wider = wider(&supposed.labels);
        let mut names = Names { supposed, wider, nodes, owners: known, ..Names::default() };
        let workloads: BTreeMap<_, _> = old.workloads.iter().chain(&new.workloads).collect();
        let mut made_by: BTreeMap<&str, Vec<(&str, &Labels)>> = BTreeMap::new();
        for workload in workloads.values().filter(|it| !it.labels.is_empty()) {
            made_by.entry(&workload.name.namespace).or_default().push((&workload.name.name, &workload.labels));
        }
        let mut alike: BTreeMap<Alike<'_>, Vec<&Pod>> = BTreeMap::new();
        for pod in new.pods.values().filter(|pod| !pod.phase.is_over()) {
            let namespace = pod.name.namespace.as_str();
            let own = made_by.get(namespace).and_then(|made| made.iter().find(|(_, labels)| carries(pod, labels)));
            let template = pod.name.name.split_once('/').filter(|_| names.supposed.templates.contains(&pod.name));
            match (own, template) {
                (_, Some((_, name))) => drop(names.label_of.insert(pod.name.clone(), format!("{namespace}/{name}"))),
                _ if names.is_supposed(&pod.name) => {
                    names.label_of.insert(pod.name.clone(), supposed_name(&pod.name));
                }
                (Some((name, _)), _) => drop(names.label_of.insert(pod.name.clone(), format!("{namespace}/{name}"))),
                (None, None) => {
                    let labels = pod.labels.iter().filter(|(key, _)| !OF_ONE_POD.contains(&key.as_str())).collect();
                    alike.entry((namespace, labels)).or_default().push(pod);
                }
            }
        }
        for ((namespace, labels), pods) in alike {
            // Pods without labels have nothing in common but that.
            let common = common(&pods).filter(|_| !labels.is_empty() && pods.len() > 1);
            for pod in pods {
                let label = common.as_ref().map_or_else(|| pod.name.to_string(), |it| format!("{namespace}/{it}"));
                names.label_of.insert(pod.name.clone(), label);
            }
        }
        let real = names.label_of.iter().filter(|(name, _)| !names.supposed.pods.contains(*name));
        for (name, label) in real {
            names.pods_of.entry(label.clone()).or_default().insert(name.clone());
            names.real.entry(name.namespace.clone()).or_default().insert(name.clone());
        }
        names
    }
}

/// Of pods by their labels, those of each one's namespace that have some of its labels and no others.
fn wider(labels: &BTreeMap<Name, Labels>) -> BTreeMap<Name, Vec<Name>> {
    let mut by_namespace: BTreeMap<&str, Vec<(&Name, &Labels)>> = BTreeMap::new();
    for it in labels {
        by_namespace.entry(&it.0.namespace).or_default().push(it);
    }
    let mut found: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for (narrow, all) in labels {
        let others = &by_namespace[narrow.namespace.as_str()];
        let is_wider =
            |wide: &Labels| wide.len() < all.len() && wide.iter().all(|(key, value)| all.get(key) == Some(value));
        let wider: Vec<Name> = others.iter().filter(|(_, it)| is_wider(it)).map(|(name, _)| (*name).clone()).collect();
        if !wider.is_empty() {
            found.insert(narrow.clone(), wider);
        }
    }
    found
}

/// Who has which address, as the objects of a cluster say.
fn owners(cluster: &Cluster) -> BTreeMap<IpAddr, String> {
    let mut found = BTreeMap::new();
    let mut add = |addresses: &mut dyn Iterator<Item = IpAddr>, owner: String| {
        for address in addresses {
            found.entry(address).or_insert_with(|| owner.clone());
        }
    };
    for (node, addresses) in cluster.node_ips() {
        add(&mut addresses.into_iter(), format!("node {node}"));
    }
    for node in cluster.cilium_nodes.values() {
        add(&mut node.health.iter().chain(&node.ingress).copied(), format!("agent of node {}", node.name));
    }
    for pod in cluster.pods.values().chain(cluster.remote_pods.values().flat_map(BTreeMap::values)) {
        add(&mut pod.own_ips(), format!("pod {}", pod.name));
    }
    for service in cluster.services.values() {
        add(&mut service.cluster_ips.iter().copied(), format!("service {}", service.name));
    }
    add(&mut cluster.kube_apiserver().into_iter(), "the API server".to_owned());
    found
}

/// What the names of pods begin with, without what tells them apart.
fn common(pods: &[&Pod]) -> Option<String> {
    let first = pods.first()?.name.name.as_str();
    let length =
        pods.iter().map(|pod| first.bytes().zip(pod.name.name.bytes()).take_while(|(a, b)| a == b).count()).min()?;
    let common = first.get(..length)?;
    let whole = pods.iter().any(|pod| pod.name.name.len() == length);
    let cut = if whole { common } else { common.rfind('-').map_or("", |at| &common[..at]) };
    (!cut.is_empty()).then(|| cut.trim_end_matches('-').to_owned())
}
