//! Who is treated alike: the same class as a subject, the same peers to others.

use crate::model::Kind;
use crate::stage::{Stage, made};
use crate::wanted::{Candidate, Level};
use facts::{Labels, Name, Pod, Workload};
use flow::{Family, PeerId};
use hir::peers::{HEALTH, HOST, INGRESS, PeerInfo, WORLD_V4, WORLD_V6};
use hir::subject::{self, Class};
use hir::{Entity, Source};
use reason::Party;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Members that nothing tells apart.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub kind: Kind,
    /// What it is part of at the level that is drawn; equal for atoms of one vertex.
    pub vertex: String,
    pub namespace: String,
    /// As a subject; `None` when no policy applies to it.
    pub class: Option<Class>,
    /// The class of the nodes that its members are on, where policies of nodes are enforced.
    pub node_class: Option<Class>,
    /// As a peer, by family.
    pub peers: Addressed,
    /// By name.
    pub members: Vec<String>,
    /// How many there are of it.
    pub many: bool,
    /// Names by which filters know it, without namespace.
    pub names: Vec<String>,
    pub labels: Labels,
    /// One of them, to be asked about.
    pub sample: Party,
    /// What was not read of its members.
    pub unread: Unread,
}

/// What somebody is as a peer, by family of addresses.
pub(crate) type Addressed = Vec<(Family, PeerId)>;

/// What pods of one atom share: namespace, vertex, class, class of their nodes, peers, and what was not read.
type Key = (String, String, Option<Class>, Option<Class>, Addressed, Unread);

/// Facts of a pod that a verdict may hang on and that were not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    /// Its namespace.
    pub namespace: bool,
    /// Its node.
    pub node: bool,
    /// Its address.
    pub address: bool,
}

impl Atom {
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate { namespace: &self.namespace, names: &self.names, labels: &self.labels }
    }
}

/// Everybody, in a fixed order.
pub(crate) fn atoms(stage: &Stage<'_>, level: Level) -> Vec<Atom> {
    let mut all = pods(stage, level);
    all.extend(nodes(stage));
    all.extend(outside(stage));
    all
}

/// How many pods are on their node's network.
pub(crate) fn on_host_network(stage: &Stage<'_>) -> usize {
    stage.cluster.pods.values().filter(|pod| pod.host_network && !pod.phase.is_over()).count()
}

fn pods(stage: &Stage<'_>, level: Level) -> Vec<Atom> {
    let mut by_namespace: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    for workload in stage.cluster.workloads.values() {
        by_namespace.entry(&workload.name.namespace).or_default().push(workload);
    }
    let mut found: BTreeMap<Key, Vec<&Pod>> = BTreeMap::new();
    let alive = stage.cluster.pods.values().filter(|pod| !pod.phase.is_over() && !pod.host_network);
    for pod in alive {
        let workloads = by_namespace.get(pod.name.namespace.as_str()).into_iter().flatten().copied();
        let class = stage.class_of(pod);
        let peers: Addressed = peers_of(stage, pod.ips.iter().copied());
        let vertex = match level {
            Level::Namespace => pod.name.namespace.clone(),
            Level::Workload => workload_of(pod, workloads).unwrap_or_default(),
            Level::Pod => String::new(),
        };
        let config = &stage.cluster.config;
        let node = pod.node.as_deref().filter(|_| config.host_firewall);
        let node_class = node.map(|node| subject::class_of_node(node, &stage.cluster, &stage.peers));
        let key = (pod.name.namespace.clone(), vertex, class, node_class, peers, unread(stage, pod));
        found.entry(key).or_default().push(pod);
    }
    found.into_iter().map(|(key, pods)| of_pods(stage, level, key, &pods)).collect()
}

fn of_pods(
    stage: &Stage<'_>,
    level: Level,
    (namespace, vertex, class, node_class, peers, unread): Key,
    pods: &[&Pod],
) -> Atom {
    let shown = |pod: &&Pod| match stage.supposed.get(&pod.name) {
        Some((kind, name)) => format!("{} {name}", kind.name()),
        None => pod.name.to_string(),
    };
    let members: Vec<String> = pods.iter().map(shown).collect();
    let supposed = stage.supposed.get(&pods[0].name);
    let kind = match level {
        Level::Namespace => Kind::Namespace,
        Level::Workload if !vertex.is_empty() => Kind::Workload,
        Level::Workload | Level::Pod => Kind::Pods,
    };
    let mut names: Vec<String> = pods.iter().map(|pod| pod.name.name.clone()).collect();
    names.extend(vertex.rsplit('/').next().filter(|it| !it.is_empty()).map(str::to_owned));
    let labels = shared(pods.iter().map(|pod| &pod.labels));
    let alike = || format!("{namespace}/{labels:?}");
    Atom {
        // Why by labels: pods without a workload that was read are mostly replicas, and alike to whoever looks at a cluster.
        vertex: match kind {
            Kind::Pods if level == Level::Workload && !labels.is_empty() => alike(),
            Kind::Pods => format!("{namespace}/{}", pods[0].name.name),
            _ => vertex,
        },
        kind,
        class,
        node_class,
        peers,
        many: pods.len() > 1 || supposed.is_some(),
        names,
        labels,
        sample: match supposed {
            Some((kind, name)) => Party::Workload(*kind, name.clone()),
            None => Party::Pod(pods[0].name.clone()),
        },
        members,
        namespace,
        unread,
    }
}

/// What was not read of a pod.
fn unread(stage: &Stage<'_>, pod: &Pod) -> Unread {
    let read = |node: &str| stage.cluster.nodes.contains_key(node) || stage.cluster.cilium_nodes.contains_key(node);
    Unread {
        namespace: !stage.cluster.namespaces.contains_key(&pod.name.namespace),
        node: !pod.node.as_deref().is_some_and(read),
        address: stage.homeless.contains(&pod.name),
    }
}

/// The workload that made a pod, as far as labels tell: the one whose template says most.
fn workload_of<'w>(pod: &Pod, workloads: impl Iterator<Item = &'w Workload>) -> Option<String> {
    let mine = workloads.filter(|workload| made(workload, pod));
    let best = mine.max_by_key(|it| (it.labels.len(), std::cmp::Reverse(it.name.clone())))?;
    Some(best.name.to_string())
}

/// Labels that all have.
pub(crate) fn shared<'l>(mut all: impl Iterator<Item = &'l Labels>) -> Labels {
    let mut left = all.next().cloned().unwrap_or_default();
    all.for_each(|labels| left.retain(|key, value| labels.get(key) == Some(value)));
    left
}

fn peers_of(stage: &Stage<'_>, ips: impl Iterator<Item = IpAddr>) -> Addressed {
    let family = |ip: &IpAddr| if ip.is_ipv4() { Family::V4 } else { Family::V6 };
    let found: BTreeSet<_> = ips.map(|ip| (family(&ip), stage.peers.lookup(None, ip))).collect();
    found.into_iter().collect()
}

/// An atom without namespace.
fn special(kind: Kind, name: String, peers: Addressed, sample: Party) -> Atom {
    Atom {
        kind,
        vertex: name.clone(),
        namespace: String::new(),
        class: None,
        node_class: None,
        peers,
        members: vec![name.clone()],
        many: false,
        names: vec![name],
        labels: Labels::default(),
        sample,
        unread: Unread::default(),
    }
}

/// The own node of whoever is on the other side, and the others.
fn nodes(stage: &Stage<'_>) -> Vec<Atom> {
    let nodes = stage.cluster.node_ips();
    let mut out = Vec::new();
    let both = [(Family::V4, HOST), (Family::V6, HOST)];
    out.push(special(Kind::Host, "host".to_owned(), both.to_vec(), Party::Entity(Entity::Host)));
    // Why: in a cluster of one node nobody is on another.
    if nodes.len() < 2 {
        return out;
    }
    let mut alike: BTreeMap<(Option<Class>, Addressed), Vec<&str>> = BTreeMap::new();
    for (name, ips) in &nodes {
        let class =
            stage.cluster.config.host_firewall.then(|| subject::class_of_node(name, &stage.cluster, &stage.peers));
        alike.entry((class, peers_of(stage, ips.iter().copied()))).or_default().push(name);
    }
    for ((class, peers), names) in alike {
        let vertex = format!("nodes {}", names[0]);
        let mut atom = special(Kind::Nodes, vertex, peers, Party::Node(names[0].to_owned()));
        atom.names = names.iter().map(|name| format!("node/{name}")).chain(["nodes".to_owned()]).collect();
        atom.members = names.iter().map(|name| format!("node {name}")).collect();
        (atom.class, atom.many) = (class, names.len() > 1);
        out.push(atom);
    }
    out
}

/// Everybody else who has a number: addresses outside the cluster, other clusters, health endpoints and proxies.
fn outside(stage: &Stage<'_>) -> Vec<Atom> {
    let config = &stage.cluster.config;
    let world: Addressed = [(config.ipv4, Family::V4, WORLD_V4), (config.ipv6, Family::V6, WORLD_V6)]
        .into_iter()
        .filter(|(used, ..)| *used)
        .map(|(_, family, peer)| (family, peer))
        .collect();
    let sample = world_address(stage).map_or(Party::Entity(Entity::World), Party::Address);
    let mut out = vec![special(Kind::Outside, "world".to_owned(), world, sample)];
    let both = |peer: PeerId| vec![(Family::V4, peer), (Family::V6, peer)];
    let agents = || stage.cluster.cilium_nodes.values();
    if agents().any(|node| !node.health.is_empty()) {
        out.push(special(Kind::Outside, "health".to_owned(), both(HEALTH), Party::Entity(Entity::Health)));
    }
    if agents().any(|node| !node.ingress.is_empty()) {
        out.push(special(Kind::Outside, "ingress".to_owned(), both(INGRESS), Party::Entity(Entity::Ingress)));
    }
    let regions = stage.peers.peers().filter(|(peer, info)| info.key.region.is_some() && !fixed(*peer));
    out.extend(regions.filter_map(|(peer, info)| {
        let region = info.key.region?;
        // Why an address where there is one of it alone: who has an address may be in doubt, and a prefix is asked with all that it holds.
        let own = Some(region.addr()).filter(|address| stage.peers.lookup(None, *address) == peer);
        let sample = own.map_or(Party::Prefix(region), Party::Address);
        Some(special(Kind::Outside, region_name(info), vec![(region.family(), peer)], sample))
    }));
    let mut remote: BTreeMap<(String, Addressed), Vec<Name>> = BTreeMap::new();
    for (cluster, pods) in &stage.cluster.remote_pods {
        for pod in pods.values().filter(|pod| !pod.phase.is_over() && !pod.ips.is_empty()) {
            let peers = peers_of(stage, pod.own_ips());
            remote.entry((cluster.clone(), peers)).or_default().push(pod.name.clone());
        }
    }
    for ((cluster, peers), names) in remote {
        let addresses = stage.cluster.remote_pods[&cluster][&names[0]].ips.first().copied();
        let Some(address) = addresses else { continue };
        let mut atom = special(Kind::Outside, format!("{cluster}:{}", names[0]), peers, Party::Address(address));
        atom.members = names.iter().map(|name| format!("{cluster}:{name}")).collect();
        out.push(atom);
    }
    out
}

/// An address of the world that no policy mentions, of the ranges that are kept for documents (RFC 5737, RFC 3849).
fn world_address(stage: &Stage<'_>) -> Option<IpAddr> {
    let config = &stage.cluster.config;
    let known = ["198.51.100.1", "192.0.2.1", "203.0.113.1", "2001:db8::1"].into_iter();
    let addresses = known.filter_map(|it| it.parse::<IpAddr>().ok());
    let mut used = addresses.filter(|it| if it.is_ipv4() { config.ipv4 } else { config.ipv6 });
    used.find(|it| fixed(stage.peers.lookup(None, *it)))
}

fn fixed(peer: PeerId) -> bool {
    [WORLD_V4, WORLD_V6].contains(&peer)
}

/// A region by its prefix, and by what else is known of it.
fn region_name(info: &PeerInfo) -> String {
    let fqdn = Source::named("fqdn");
    let names: Vec<&str> =
        info.key.labels.iter().filter(|label| label.source == fqdn).map(|label| label.key.as_str()).collect();
    match names.is_empty() {
        true => info.name.clone(),
        false => format!("{} ({})", info.name, names.join(", ")),
    }
}
