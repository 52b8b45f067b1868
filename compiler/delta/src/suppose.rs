//! Makes the two sides comparable: whoever is on one side is put on the other, and whoever policies mention and no file tells of is
//! supposed.

use crate::side::Side;
use crate::ways::{Judge, Way, both, ways};
use facts::{CidrGroup, Cluster, ContainerPort, Labels, Name, Namespace, Pod, Workload};
use flow::{Prefix, Protocol};
use hir::labels::{self, Selector};
use hir::policy::{L3, L4, PeerSelector, Policy, Ports, Subjects};
use hir::subject::endpoint_labels;
use hir::{Entity, ObjectRef};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// How many parties are supposed at most.
const MOST: usize = 2000;
/// The first number that stands for a name of a port.
const FIRST_STAND_IN: u16 = 61_001;
/// How many pairs of selectors are tried for somebody whom both select, at most.
const PAIRS: usize = 10_000;

/// What was added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supposed {
    /// Pods that only one side has: `true` for the new one.
    pub one_sided: BTreeMap<Name, bool>,
    /// Pods of workloads that have none.
    pub templates: BTreeSet<Name>,
    /// Pods of which only policies tell.
    pub pods: BTreeSet<Name>,
    /// Addresses that stand for what no file resolves, and for what.
    pub outside: BTreeMap<IpAddr, String>,
    /// Numbers that stand for names of ports which no pod declares.
    pub port_names: BTreeMap<u16, String>,
}

/// Whom policies mention and no file tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Whoever meets one of their selectors.
    One,
    /// Whoever meets two of them at once, too.
    Two,
}

/// Puts both sides on one footing.
pub(crate) fn suppose(old: &mut Side, new: &mut Side, meeting: Meeting) -> Supposed {
    let mut supposed = Supposed::default();
    share(&mut old.cluster, &mut new.cluster, &mut supposed);
    templates(&mut old.cluster, &mut new.cluster, &mut supposed);
    if old.partial || new.partial {
        let policies = differing(old, new);
        let mut maker = Maker { old, new, supposed: &mut supposed };
        maker.pods(&policies, meeting);
        maker.outside(&policies);
    }
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

struct Maker<'s> {
    old: &'s mut Side,
    new: &'s mut Side,
    supposed: &'s mut Supposed,
}

impl Maker<'_> {
    /// Pods of labels that policies mention and nobody carries.
    fn pods(&mut self, policies: &[Arc<Policy>], meeting: Meeting) {
        let mut selectors: BTreeSet<(String, Selector)> = BTreeSet::new();
        for policy in policies {
            let namespace = policy.object.namespace.as_str();
            for section in &policy.sections {
                if let Subjects::Endpoints(selector) = &section.subjects {
                    selectors.insert((namespace.to_owned(), selector.clone()));
                }
                for entry in &section.entries {
                    let L3::Any(peers) = &entry.l3 else { continue };
                    for peer in peers {
                        if let PeerSelector::Labels { selector, .. } = &peer.selector {
                            selectors.insert((namespace.to_owned(), selector.clone()));
                        }
                    }
                }
            }
        }
        let ports = self.undeclared(policies);
        let judge = Judge::of(selectors.iter().map(|(_, selector)| selector));
        let mut known: BTreeSet<Vec<u32>> = BTreeSet::new();
        for side in [&*self.old, &*self.new] {
            let labels = side.cluster.pods.values().map(|pod| endpoint_labels(pod, &side.cluster, side.dialect));
            known.extend(labels.map(|labels| judge.selected_by(&labels)));
        }
        for (namespace, selector) in &selectors {
            for way in ways(selector) {
                self.add(namespace, &way, &ports, &judge, &mut known);
            }
        }
        if meeting == Meeting::Two {
            let plain = |(namespace, selector): &'_ (String, Selector)| {
                Some((namespace.clone(), ways(selector).into_iter().next()?))
            };
            let plain: Vec<(String, Way)> = selectors.iter().filter_map(plain).collect();
            let pairs =
                plain.iter().enumerate().flat_map(|(at, one)| plain[at + 1..].iter().map(move |other| (one, other)));
            for ((namespace, one), (_, other)) in pairs.take(PAIRS) {
                let Some(way) = both(one, other).filter(|way| self.is_fit(way)) else { continue };
                self.add(namespace, &way, &ports, &judge, &mut known);
            }
        }
    }

    /// A pod of these labels, where nobody yet is selected by the same selectors: whoever is shows what becomes of this one.
    fn add(
        &mut self,
        namespace: &str,
        way: &Way,
        ports: &[ContainerPort],
        judge: &Judge<'_>,
        known: &mut BTreeSet<Vec<u32>>,
    ) {
        let Some(pod) = self.pod(namespace, way).filter(|_| self.supposed.pods.len() < MOST) else { return };
        let pod = Pod { ports: ports.to_vec(), ..pod };
        let selected_by = judge.selected_by(&endpoint_labels(&pod, &self.new.cluster, self.new.dialect));
        if known.insert(selected_by) {
            for side in [&mut *self.old, &mut *self.new] {
                side.cluster.pods.insert(pod.name.clone(), pod.clone());
            }
            self.supposed.pods.insert(pod.name);
        }
    }

    /// Whether labels say nothing new of a namespace: what one selector asks of a namespace that another names is no fact.
    fn is_fit(&self, way: &Way) -> bool {
        let asks = way.keys().any(|key| key.starts_with(labels::NAMESPACE_LABELS));
        let named = way.get(labels::NAMESPACE);
        !asks || named.is_none_or(|name| self.new.cluster.namespaces.contains_key(name))
    }

    /// Ports of the names that policies mention and nobody declares, each with a number that stands for it: which one it will be, nobody
    /// knows.
    fn undeclared(&mut self, policies: &[Arc<Policy>]) -> Vec<ContainerPort> {
        let mut wanted: BTreeSet<(String, Protocol)> = BTreeSet::new();
        for entry in policies.iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries) {
            let L4::Items(items) = &entry.l4 else { continue };
            for item in items {
                if let Ports::Name { protocols, name } = &item.ports {
                    wanted.extend(protocols.iter().map(|protocol| (name.clone(), *protocol)));
                }
            }
        }
        let pods = self.old.cluster.pods.values().chain(self.new.cluster.pods.values());
        let declared: BTreeSet<&String> = pods.flat_map(|pod| &pod.ports).map(|port| &port.name).collect();
        wanted.retain(|(name, _)| !declared.contains(name));
        let names: BTreeSet<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        self.supposed.port_names = (FIRST_STAND_IN..).zip(names).collect();
        let number =
            |name: &String| self.supposed.port_names.iter().find(|(_, it)| *it == name).map(|(number, _)| *number);
        wanted
            .iter()
            .filter_map(|(name, protocol)| {
                Some(ContainerPort { name: name.clone(), protocol: *protocol, port: number(name)? })
            })
            .collect()
    }

    /// A pod of these labels; `None` where no pod can have them.
    fn pod(&mut self, policy_namespace: &str, way: &Way) -> Option<Pod> {
        let mut pod = Pod::default();
        let (mut namespace, mut of_namespace) = (None, Labels::new());
        for (key, value) in way {
            match key.as_str() {
                labels::NAMESPACE => namespace = Some(value.clone()),
                labels::SERVICE_ACCOUNT => pod.service_account = value.clone(),
                labels::CLUSTER if *value == self.old.cluster.config.cluster_name => (),
                labels::CLUSTER => return None,
                key => match key.strip_prefix(labels::NAMESPACE_LABELS) {
                    Some("kubernetes.io/metadata.name") => namespace = Some(value.clone()),
                    Some(label) => drop(of_namespace.insert(label.to_owned(), value.clone())),
                    None if key.starts_with(labels::RESERVED_PREFIX) => return None,
                    None => drop(pod.labels.insert(key.to_owned(), value.clone())),
                },
            }
        }
        let namespace = self.namespace(namespace, policy_namespace, of_namespace)?;
        let shown: Vec<String> = pod.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut shown = if shown.is_empty() { String::new() } else { format!(" {}", shown.join(",")) };
        if !pod.service_account.is_empty() {
            shown += &format!(" serviceAccount={}", pod.service_account);
        }
        let other = if shown.is_empty() && !namespace.contains('=') { "other " } else { "" };
        pod.name = Name::new(namespace, format!("{other}pods{shown}"));
        Some(pod)
    }

    /// A namespace of this name and these labels; one is made where there is none. `None` where the one of the name has other labels.
    fn namespace(&mut self, name: Option<String>, of_policy: &str, wanted: Labels) -> Option<String> {
        let known = &self.new.cluster.namespaces;
        let fits = |namespace: &Namespace| wanted.iter().all(|(key, value)| namespace.labels.get(key) == Some(value));
        match name {
            Some(name) => match known.get(&name) {
                Some(namespace) => fits(namespace).then_some(name),
                None if wanted.is_empty() => Some(name),
                None => {
                    self.make(Namespace::new(name.clone(), wanted));
                    Some(name)
                }
            },
            None if wanted.is_empty() => {
                Some(if of_policy.is_empty() { "default".to_owned() } else { of_policy.to_owned() })
            }
            None => {
                if let Some(found) = known.values().find(|it| fits(it)) {
                    return Some(found.name.clone());
                }
                let shown: Vec<String> = wanted.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let name = format!("namespaces {}", shown.join(","));
                self.make(Namespace { name: name.clone(), labels: wanted });
                Some(name)
            }
        }
    }

    fn make(&mut self, namespace: Namespace) {
        for side in [&mut *self.old, &mut *self.new] {
            side.cluster.namespaces.insert(namespace.name.clone(), namespace.clone());
        }
    }

    /// Addresses of names, groups and of the API server, where nothing resolves them.
    fn outside(&mut self, policies: &[Arc<Policy>]) {
        let entries = policies.iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries);
        let peers =
            entries.filter_map(|entry| if let L3::Any(peers) = &entry.l3 { Some(peers) } else { None }).flatten();
        let selectors: BTreeSet<&PeerSelector> = peers.map(|peer| &peer.selector).collect();
        let mut next = 1;
        for selector in selectors {
            let address = IpAddr::V4(Ipv4Addr::new(240, 255, (next >> 8) as u8, next as u8));
            let sides = [&mut *self.old, &mut *self.new];
            let what = match selector {
                PeerSelector::Fqdn(pattern) => {
                    let known =
                        |side: &&mut Side| side.cluster.dns.keys().any(|name| hir::peers::name_matches(pattern, name));
                    if sides.iter().any(known) {
                        continue;
                    }
                    let name = pattern.replace("**", "any").replace('*', "any");
                    sides.into_iter().for_each(|side| drop(side.cluster.dns.insert(name.clone(), [address].into())));
                    format!("whatever `{pattern}` resolves to")
                }
                PeerSelector::CidrGroup { name, .. } => {
                    if sides.iter().any(|side| side.cluster.cidr_groups.contains_key(name)) {
                        continue;
                    }
                    let prefixes = BTreeSet::from([Prefix::host(address)]);
                    let group = CidrGroup { name: name.clone(), prefixes, ..CidrGroup::default() };
                    sides
                        .into_iter()
                        .for_each(|side| drop(side.cluster.cidr_groups.insert(name.clone(), group.clone())));
                    format!("the addresses of CiliumCIDRGroup {name}")
                }
                PeerSelector::Entity(Entity::KubeApiserver) => {
                    if sides.iter().any(|side| !side.cluster.kube_apiserver().is_empty()) {
                        continue;
                    }
                    for side in sides {
                        side.cluster.config.kube_apiserver.insert(address);
                    }
                    "the API server".to_owned()
                }
                _ => continue,
            };
            next += 1;
            self.supposed.outside.insert(address, what);
        }
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
