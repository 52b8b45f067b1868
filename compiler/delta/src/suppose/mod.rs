//! Makes the two sides comparable: whoever is on one side is put on the other, and whoever policies mention and no file tells of is
//! supposed.

mod atoms;
mod outside;
mod pods;
mod unread;

use crate::side::Side;
use facts::{Cluster, Labels, Name, Pod, Workload};
use hir::ObjectRef;
use hir::policy::{L3, PeerSelector, Policy};
pub(crate) use pods::ELSEWHERE;
use pods::Maker;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
pub(crate) use unread::{put_behind, unread};

/// What a node is called of which nothing is known.
pub(crate) const ANY_NODE: &str = "any";

/// What was added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supposed {
    /// Pods that only one side has: `true` for the new one.
    pub one_sided: BTreeMap<Name, bool>,
    /// Pods of workloads that have none.
    pub templates: BTreeSet<Name>,
    /// Pods of which only policies tell.
    pub pods: BTreeSet<Name>,
    /// The labels of those of them that stand for whoever has these.
    pub labels: BTreeMap<Name, Labels>,
    /// Those of them that stand for others like one pod of the files. Only others meet them: as subjects they are as that one.
    pub twins: BTreeSet<Name>,
    /// Whether selectors can meet on a pod in more ways than are supposed.
    pub is_cut: bool,
    /// Those of them that stand for what is behind a service that was not read: the service.
    pub behind: BTreeMap<Name, Name>,
    /// Nodes of which only policies tell.
    pub nodes: BTreeSet<String>,
    /// Addresses that stand for what no file resolves, and for what.
    pub outside: BTreeMap<IpAddr, String>,
    /// Numbers that stand for names of ports which no pod declares.
    pub port_names: BTreeMap<u16, String>,
}

/// Puts both sides on one footing.
pub(crate) fn suppose(old: &mut Side, new: &mut Side) -> Supposed {
    let mut supposed = Supposed::default();
    let stop = new.stop.clone();
    stop.check();
    share(&mut old.cluster, &mut new.cluster, &mut supposed);
    templates(&mut old.cluster, &mut new.cluster, &mut supposed);
    if old.partial || new.partial {
        let policies = differing(old, new);
        unread::services(old, new, &mut supposed, &policies);
        unread::nodes(old, new, &mut supposed, &policies);
        Maker { old, new, supposed: &mut supposed }.pods(&policies);
        outside::addresses(old, new, &mut supposed, &policies);
    }
    stop.check();
    addresses(&mut old.cluster, &mut new.cluster);
    supposed
}

/// The policies that are not the same on both sides; all where the readings or settings differ.
pub(crate) fn differing(old: &Side, new: &Side) -> Vec<Arc<Policy>> {
    let everything = old.dialect != new.dialect || old.cluster.config != new.cluster.config;
    let index = |side: &Side| -> BTreeMap<ObjectRef, Arc<Policy>> {
        side.all().map(|policy| (policy.object.clone(), policy.clone())).collect()
    };
    let (olds, news) = (index(old), index(new));
    let gone_or_changed = olds.iter().filter(|(name, policy)| everything || news.get(*name) != Some(policy));
    let come_or_changed = news.iter().filter(|(name, policy)| everything || olds.get(*name) != Some(policy));
    gone_or_changed.chain(come_or_changed).map(|(_, policy)| policy.clone()).collect()
}

/// Whom entries of policies speak of on the other side.
fn peers(policies: &[Arc<Policy>]) -> impl Iterator<Item = (&Policy, &PeerSelector)> {
    policies.iter().flat_map(|policy| {
        let entries = policy.sections.iter().flat_map(|section| &section.entries);
        let peers = entries.filter_map(|entry| if let L3::Any(peers) = &entry.l3 { Some(peers) } else { None });
        peers.flatten().map(move |peer| (&**policy, &peer.selector))
    })
}

/// Puts whoever is on one side on the other too.
fn share(old: &mut Cluster, new: &mut Cluster, supposed: &mut Supposed) {
    each_way(&mut old.namespaces, &mut new.namespaces);
    each_way(&mut old.nodes, &mut new.nodes);
    each_way(&mut old.cilium_nodes, &mut new.cilium_nodes);
    for name in new.pods.keys().filter(|name| !old.pods.contains_key(*name)) {
        supposed.one_sided.insert(name.clone(), true);
    }
    for name in old.pods.keys().filter(|name| !new.pods.contains_key(*name)) {
        supposed.one_sided.insert(name.clone(), false);
    }
    each_way(&mut old.pods, &mut new.pods);
}

fn each_way<K: Ord + Clone, V: Clone>(one: &mut BTreeMap<K, V>, other: &mut BTreeMap<K, V>) {
    let missing = |from: &BTreeMap<K, V>, to: &BTreeMap<K, V>| -> Vec<(K, V)> {
        from.iter().filter(|(key, _)| !to.contains_key(*key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let (to_other, to_one) = (missing(one, other), missing(other, one));
    other.extend(to_other);
    one.extend(to_one);
}

/// Makes one pod of every workload that has none. Its name cannot be that of a real one: it holds a slash.
fn templates(old: &mut Cluster, new: &mut Cluster, supposed: &mut Supposed) {
    let keys: BTreeSet<_> = old.workloads.keys().chain(new.workloads.keys()).cloned().collect();
    if keys.is_empty() {
        return;
    }
    let mut by_namespace: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in old.pods.values().chain(new.pods.values()).filter(|pod| !pod.phase.is_over()) {
        by_namespace.entry(&pod.name.namespace).or_default().push(pod);
    }
    let mut made: Vec<(Name, Pod, Pod)> = Vec::new();
    for key in keys {
        let (before, after) = (old.workloads.get(&key), new.workloads.get(&key));
        let Some(one) = before.or(after) else { continue };
        let of = |workload: &Workload| {
            let pods = by_namespace.get(workload.name.namespace.as_str()).into_iter().flatten();
            pods.filter(|pod| carries(pod, &workload.labels)).count()
        };
        if [before, after].into_iter().flatten().any(|workload| of(workload) > 0) {
            continue;
        }
        let name = Name::new(one.name.namespace.as_str(), format!("{}/{}", key.0.name(), one.name.name));
        let (before, after) = (before.unwrap_or(one), after.or(before).unwrap_or(one));
        if old.workloads.contains_key(&key) != new.workloads.contains_key(&key) {
            supposed.one_sided.insert(name.clone(), new.workloads.contains_key(&key));
        }
        made.push((name.clone(), as_made(&name, before), as_made(&name, after)));
    }
    for (name, before, after) in made {
        old.pods.insert(name.clone(), before);
        new.pods.insert(name.clone(), after);
        supposed.templates.insert(name);
    }
}

/// Whether a pod carries all of these labels.
pub(crate) fn carries(pod: &Pod, labels: &Labels) -> bool {
    labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
}

fn as_made(name: &Name, workload: &Workload) -> Pod {
    Pod {
        name: name.clone(),
        labels: workload.labels.clone(),
        ports: workload.ports.clone(),
        service_account: workload.service_account.clone(),
        host_network: workload.host_network,
        ..Pod::default()
    }
}

/// Gives pods without an address one of the other side, or one that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn addresses(old: &mut Cluster, new: &mut Cluster) {
    let names: Vec<Name> = old.pods.keys().cloned().collect();
    let mut next: u32 = 0;
    for name in names {
        let (Some(before), Some(after)) = (old.pods.get_mut(&name), new.pods.get_mut(&name)) else { continue };
        let lacks = |pod: &Pod| pod.ips.is_empty() && !pod.host_network;
        if lacks(before) && !after.host_network && !after.ips.is_empty() {
            before.ips.clone_from(&after.ips);
        } else if lacks(after) && !before.host_network && !before.ips.is_empty() {
            after.ips.clone_from(&before.ips);
        } else if lacks(before) || lacks(after) {
            next += 1;
            let [_, a, b, c] = next.to_be_bytes();
            let four = IpAddr::V4(Ipv4Addr::new(240, a, b, c));
            let six = IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, (next >> 16) as u16, next as u16));
            for pod in [before, after].into_iter().filter(|pod| lacks(pod)) {
                pod.ips.extend([four, six]);
            }
        }
    }
}
