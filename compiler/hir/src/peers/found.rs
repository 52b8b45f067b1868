//! A table in the making: every key that a cluster gives rise to, with its addresses and names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use facts::{Cluster, Name};
use flow::{Family, PeerId, Prefix};

use super::services::{Backends, spoken_of};
use super::table::{NodeEntry, PeerTable};
use super::{
    HEALTH, HOST, HostId, HostKey, INGRESS, INIT, Mentions, NamedPorts, PeerInfo, PeerKey, ServiceInfo, UNKNOWN,
    UNMANAGED, WORLD_V4, WORLD_V6,
};
use crate::dialect::Dialect;
use crate::filter::Filter;
use crate::labels::{CLUSTER, LabelSet, Source};
use crate::subject::Shapes;
use request::name;

/// A table in the making: keys with the addresses and names found for them.
pub(super) struct Found<'c> {
    cluster: &'c Cluster,
    mentions: &'c Mentions,
    services: BTreeMap<Name, ServiceInfo>,
    dialect: &'c Dialect,
    apiserver: BTreeSet<IpAddr>,
    ranges: Covers,
    by_address: Covers,
    /// Every prefix that is mentioned, where the cluster lets any of them match what is inside.
    mentioned: Covers,
    /// The keys of parties inside the cluster, each once, with the names of those who have it.
    keys: Vec<(Arc<PeerKey>, Vec<String>)>,
    numbers: HashMap<Arc<PeerKey>, usize>,
    /// Addresses of nodes and pods, and which key they have.
    inside: BTreeMap<IpAddr, usize>,
    /// Prefixes outside the cluster.
    outside: BTreeMap<Prefix, PeerKey>,
    nodes: BTreeMap<String, (HostKey, BTreeSet<IpAddr>)>,
    port_names: NamedPorts,
}

/// Who has an address inside the cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Party {
    Node,
    Pod,
}

impl<'c> Found<'c> {
    pub(super) fn new(cluster: &'c Cluster, mentions: &'c Mentions, dialect: &'c Dialect) -> Self {
        // Why: a packet to a service that was not translated yet may end at any pod. Were the service's address part of the world,
        // an allow for the world would open every pod behind a service; so it is nobody's.
        let services = cluster.services.values().flat_map(|service| service.cluster_ips.iter().copied());
        let ranges = cluster.ranges().into_iter().chain(services.map(Prefix::host)).collect();
        let inside_too = cluster.config.prefixes_match_nodes || cluster.config.prefixes_match_pods;
        let groups = cluster.grouped_prefixes().filter(|_| mentions.groups);
        let mentioned = mentions.prefixes.iter().chain(groups).copied().filter(|_| inside_too).collect();
        Found {
            cluster,
            mentions,
            services: spoken_of(cluster, &mentions.services),
            dialect,
            apiserver: cluster.kube_apiserver(),
            ranges: Covers::new(ranges),
            by_address: Covers::new(mentions.by_address.clone()),
            mentioned: Covers::new(mentioned),
            keys: Vec::new(),
            numbers: HashMap::new(),
            inside: BTreeMap::new(),
            outside: BTreeMap::new(),
            nodes: BTreeMap::new(),
            port_names: NamedPorts::default(),
        }
    }

    /// The prefixes that match by address and that an address lies in: those that always do, and all where the cluster is set up so.
    fn covered_by(&self, address: IpAddr, party: Party) -> BTreeSet<Prefix> {
        let config = &self.cluster.config;
        let (by_address, all) = match party {
            Party::Node => (self.dialect.ip_block_matches_nodes, config.prefixes_match_nodes),
            Party::Pod => (self.dialect.ip_block_matches_pods, config.prefixes_match_pods),
        };
        let skip_zero = party == Party::Node && self.dialect.zero_prefix_matches_no_node;
        let address = Prefix::host(address);
        let by_address = self.by_address.covering(address).filter(|_| by_address);
        let found = by_address.chain(self.mentioned.covering(address).filter(|_| all));
        found.filter(|prefix| !(skip_zero && prefix.len() == 0)).collect()
    }

    /// Which key this is.
    fn number(&mut self, key: PeerKey) -> usize {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let key = Arc::new(key);
        self.numbers.insert(key.clone(), self.keys.len());
        self.keys.push((key, Vec::new()));
        self.keys.len() - 1
    }

    fn put(&mut self, address: IpAddr, key: usize, name: String) {
        self.keys[key].1.push(name);
        // Why: of two claims to one address the first stands, and nodes come before pods: a pod that claims a node's address is
        // one on the host network or wrong.
        self.inside.entry(address).or_insert(key);
    }

    pub(super) fn nodes(&mut self) {
        let cluster = self.cluster;
        let filter = Filter::of_nodes(&cluster.config.node_labels);
        for (name, ips) in cluster.node_ips() {
            let serves = ips.iter().any(|ip| self.apiserver.contains(ip));
            let mut labels =
                LabelSet::reserved(if serves { &["remote-node", "kube-apiserver"] } else { &["remote-node"] });
            if self.mentions.node_labels {
                let node = Source::Other("node".to_owned());
                for (key, value) in cluster.node_labels(name).into_iter().flatten() {
                    if filter.keeps(&node, key) {
                        labels.insert(node.clone(), key, value);
                    }
                }
                labels.insert(Source::K8s, CLUSTER, &cluster.config.cluster_name);
            }
            let mut host = HostKey { labels: LabelSet::reserved(&["host"]), ..HostKey::default() };
            if serves {
                host.labels.insert(Source::Reserved, "kube-apiserver", "");
            }
            if self.mentions.own_node_labels {
                let node = Source::Other("node".to_owned());
                for (key, value) in cluster.node_labels(name).into_iter().flatten() {
                    host.labels.insert(node.clone(), key, value);
                }
            }
            for ip in &ips {
                let covered_by = self.covered_by(*ip, Party::Node);
                host.covered_by.extend(&covered_by);
                let key = self.number(PeerKey { labels: labels.clone(), covered_by, ..PeerKey::default() });
                self.put(*ip, key, format!("node {name}"));
            }
            self.nodes.insert(name.to_owned(), (host, ips));
        }
        for node in cluster.cilium_nodes.values() {
            let special = [("health", &node.health), ("ingress", &node.ingress)];
            for (label, ip) in special.iter().flat_map(|(label, ips)| ips.iter().map(move |ip| (*label, *ip))) {
                let key = self.number(PeerKey { labels: LabelSet::reserved(&[label]), ..PeerKey::default() });
                self.inside.entry(ip).or_insert(key);
            }
        }
    }

    pub(super) fn pods(&mut self) {
        let (cluster, mentions) = (self.cluster, self.mentions);
        let mut shapes = Shapes::new(cluster, self.dialect, &mentions.port_names);
        // By shape: the keys of its pods, which differ in what prefixes cover their addresses.
        let mut keys: Vec<BTreeMap<BTreeSet<Prefix>, usize>> = Vec::new();
        let remote = cluster
            .remote_pods
            .iter()
            .flat_map(|(name, pods)| pods.values().map(move |pod| (Some(name.as_str()), pod)));
        for (mesh, pod) in cluster.pods.values().map(|pod| (None, pod)).chain(remote) {
            if pod.phase.is_over() {
                continue;
            }
            if pod.host_network {
                continue;
            }
            let (shape, (labels, ports)) = shapes.of(pod);
            if shape == keys.len() {
                keys.push(BTreeMap::new());
                self.port_names.extend(ports);
            }
            for ip in &pod.ips {
                let covered_by = self.covered_by(*ip, Party::Pod);
                let known = keys[shape].get(&covered_by).copied();
                let key = known.unwrap_or_else(|| {
                    let (labels, ports) = (labels.clone(), ports.clone());
                    let key = self.number(PeerKey { labels, ports, covered_by: covered_by.clone(), region: None });
                    keys[shape].insert(covered_by, key);
                    key
                });
                let name = mesh.map_or_else(|| pod.name.to_string(), |mesh| format!("{mesh}:{}", pod.name));
                self.put(*ip, key, name);
            }
        }
    }

    pub(super) fn outside(&mut self) {
        let groups = self.cluster.grouped_prefixes().filter(|_| self.mentions.groups);
        let of_services = self.services.values().flat_map(|service| match &service.backends {
            Backends::Addresses(addresses) => addresses.iter().map(|address| Prefix::host(*address)).collect(),
            Backends::Pods(_) => BTreeSet::new(),
        });
        let mentioned: Vec<Prefix> = self.mentions.prefixes.iter().chain(groups).copied().chain(of_services).collect();
        for prefix in mentioned {
            if prefix.len() > 0 && self.ranges.covering(prefix).next().is_none() {
                self.region(prefix, &[]);
            }
        }
        for (name, ips) in &self.cluster.dns {
            let patterns: Vec<String> = self
                .mentions
                .names
                .iter()
                .filter(|pattern| name::matches(pattern, name))
                .map(|it| format!("fqdn:{it}"))
                .collect();
            for ip in ips {
                let known = self.inside.contains_key(ip) || self.ranges.covering(Prefix::host(*ip)).next().is_some();
                if !known && !patterns.is_empty() {
                    let labels: Vec<&str> = patterns.iter().map(String::as_str).collect();
                    self.region(Prefix::host(*ip), &labels);
                }
            }
        }
        for ip in self.apiserver.clone() {
            if !self.inside.contains_key(&ip) {
                self.region(Prefix::host(ip), &["reserved:kube-apiserver"]);
            }
        }
    }

    /// Adds a region outside the cluster, or labels to one that is there.
    fn region(&mut self, prefix: Prefix, labels: &[&str]) {
        let world = world_label(self.cluster, prefix.family(), self.dialect);
        let key = self.outside.entry(prefix).or_insert_with(|| PeerKey {
            region: Some(prefix),
            labels: LabelSet::reserved(&[world]),
            ..PeerKey::default()
        });
        for label in labels {
            if let Some((source, name)) = label.split_once(':') {
                key.labels.insert(Source::named(source), name, "");
            }
        }
    }

    /// The peers with fixed numbers, in their order.
    fn fixed(&self) -> [PeerInfo; 8] {
        let named = |name: &str, key: PeerKey| PeerInfo { key: Arc::new(key), name: name.to_owned() };
        let plain = |name: &str, labels: &[&str]| {
            named(name, PeerKey { labels: LabelSet::reserved(labels), ..PeerKey::default() })
        };
        let world = |family: Family, name: &str| {
            let labels = LabelSet::reserved(&[world_label(self.cluster, family, self.dialect)]);
            named(name, PeerKey { region: Some(Prefix::all(family)), labels, ..PeerKey::default() })
        };
        let fixed = [
            // Why: a key without labels would also be that of a pod without any; no key equals this one.
            plain("unknown", &["unknown"]),
            plain("host", &["host"]),
            world(Family::V4, "world IPv4"),
            world(Family::V6, "world IPv6"),
            plain("health", &["health"]),
            plain("ingress", &["ingress"]),
            plain("init", &["init"]),
            plain("unmanaged", &["unmanaged"]),
        ];
        debug_assert_eq!([HOST, WORLD_V4, HEALTH, INGRESS, INIT, UNMANAGED].map(|it| it.0), [1, 2, 4, 5, 6, 7]);
        fixed
    }

    pub(super) fn into_table(self, before: &PeerTable) -> PeerTable {
        let mut table = PeerTable {
            peers: self.fixed().to_vec(),
            hosts: vec![HostKey { labels: LabelSet::reserved(&["host"]), ..HostKey::default() }],
            port_names: self.port_names.clone(),
            mentioned_ports: self.mentions.port_names.clone(),
            groups: self.cluster.cidr_groups.clone(),
            cloud_groups: self.cluster.cloud_groups.clone(),
            services: self.services.clone(),
            cluster_name: self.cluster.config.cluster_name.clone(),
            prefixes_match_nodes: self.cluster.config.prefixes_match_nodes,
            prefixes_match_pods: self.cluster.config.prefixes_match_pods,
            local_by_default: self.cluster.config.policy_default_local_cluster,
            ..PeerTable::default()
        };
        table.peers.extend(before.peers.iter().skip(table.peers.len()).cloned());
        let mut numbers: BTreeMap<Arc<PeerKey>, PeerId> =
            table.peers().map(|(number, info)| (info.key.clone(), number)).collect();
        let outside = self.outside.values().map(|key| Arc::new(key.clone()));
        let used: BTreeSet<usize> = self.inside.values().copied().collect();
        let inside = used.into_iter().map(|key| self.keys[key].0.clone());
        let keys: BTreeSet<Arc<PeerKey>> = inside.chain(outside).collect();
        for key in keys {
            if !numbers.contains_key(&key) {
                numbers.insert(key.clone(), PeerId(table.peers.len() as u32));
                table.peers.push(PeerInfo { key, name: String::new() });
            }
        }
        table.numbers = Arc::new(numbers);
        self.name_all(&mut table);
        let mut carriers: BTreeMap<String, BTreeMap<String, Vec<PeerId>>> = BTreeMap::new();
        for (at, info) in table.peers.iter().enumerate().skip(1) {
            for label in info.key.labels.iter() {
                // Most keys are there already: only new ones are copied.
                let by_value = match carriers.get_mut(&label.key) {
                    Some(by_value) => by_value,
                    None => carriers.entry(label.key.clone()).or_default(),
                };
                match by_value.get_mut(&label.value) {
                    Some(carrying) => carrying.push(PeerId(at as u32)),
                    None => drop(by_value.insert(label.value.clone(), vec![PeerId(at as u32)])),
                }
            }
        }
        table.carriers = Arc::new(carriers);
        let (mut regions, mut covered) = (BTreeSet::new(), BTreeSet::new());
        for (number, info) in table.peers().filter(|(number, _)| *number != HOST) {
            match info.key.region {
                Some(region) => drop(regions.insert((region, number))),
                None => covered.extend(info.key.covered_by.iter().map(|prefix| (*prefix, number))),
            }
        }
        (table.regions, table.covered) = (Arc::new(regions), Arc::new(covered));
        table.addresses.extend([(Prefix::all(Family::V4), WORLD_V4), (Prefix::all(Family::V6), WORLD_V6)]);
        table.addresses.extend(self.ranges.prefixes.iter().map(|range| (*range, UNKNOWN)));
        let number = |key: &PeerKey| table.numbers.get(key).copied().unwrap_or(UNKNOWN);
        let numbers: Vec<PeerId> = self.keys.iter().map(|(key, _)| number(key)).collect();
        let outside: Vec<(Prefix, PeerId)> = self.outside.iter().map(|(at, key)| (*at, number(key))).collect();
        let inside = self.inside.iter().map(|(ip, key)| (Prefix::host(*ip), numbers[*key]));
        for (prefix, number) in outside.into_iter().chain(inside) {
            table.addresses.insert(prefix, number);
        }
        table.number_hosts(before, &self.nodes);
        table
    }

    fn name_all(&self, table: &mut PeerTable) {
        for (key, names) in &self.keys {
            // A pod of two addresses has its name here twice.
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let (Some(number), Some(first)) = (table.numbers.get(key), names.first()) else { continue };
            let name = match names.len() {
                1 => (*first).to_owned(),
                n => format!("{first} and {} more", n - 1),
            };
            table.peers[number.0 as usize].name = name;
        }
        for (prefix, key) in &self.outside {
            if let Some(number) = table.numbers.get(key) {
                table.peers[number.0 as usize].name = match key.labels.has_reserved("kube-apiserver") {
                    true => format!("kube-apiserver {}", prefix.addr()),
                    false => format!("world {prefix}"),
                };
            }
        }
    }
}

impl PeerTable {
    fn number_hosts(&mut self, before: &PeerTable, nodes: &BTreeMap<String, (HostKey, BTreeSet<IpAddr>)>) {
        self.hosts.extend(before.hosts.iter().skip(1).cloned());
        let mut numbers: BTreeMap<HostKey, usize> = BTreeMap::new();
        for (at, host) in self.hosts.iter().enumerate() {
            numbers.entry(host.clone()).or_insert(at);
        }
        let new: BTreeSet<&HostKey> = nodes.values().map(|(host, _)| host).collect();
        for host in new {
            if !numbers.contains_key(host) {
                numbers.insert(host.clone(), self.hosts.len());
                self.hosts.push(host.clone());
            }
        }
        for (name, (host, addresses)) in nodes {
            let at = numbers.get(host).copied().unwrap_or(0);
            self.nodes.insert(name.clone(), NodeEntry { host: HostId(at as u32), addresses: addresses.clone() });
        }
    }
}

/// The label of addresses outside the cluster.
fn world_label(cluster: &Cluster, family: Family, dialect: &Dialect) -> &'static str {
    let both = cluster.config.ipv4 && cluster.config.ipv6;
    match family {
        _ if !both && dialect.world_without_family => "world",
        Family::V4 => "world-ipv4",
        Family::V6 => "world-ipv6",
    }
}

/// A set of prefixes that is asked which of them cover another.
struct Covers {
    prefixes: BTreeSet<Prefix>,
    lengths: BTreeSet<(Family, u8)>,
}

impl Covers {
    fn new(prefixes: BTreeSet<Prefix>) -> Covers {
        let lengths = prefixes.iter().map(|prefix| (prefix.family(), prefix.len())).collect();
        Covers { prefixes, lengths }
    }

    /// Those that cover `inner`, itself included, shortest first. Cost: one look-up for each length in use.
    fn covering(&self, inner: Prefix) -> impl Iterator<Item = Prefix> + '_ {
        let lengths = self.lengths.range((inner.family(), 0)..=(inner.family(), inner.len()));
        let prefixes = lengths.filter_map(move |(_, len)| Prefix::new(inner.addr(), *len));
        prefixes.filter(|prefix| self.prefixes.contains(prefix))
    }
}
