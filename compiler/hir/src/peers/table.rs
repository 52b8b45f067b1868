//! The table of peers: who has which number, and which address belongs to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use facts::{CidrGroup, Cluster, Name};
use flow::{Family, PeerId, Prefix};

use super::found::Found;
use super::{HOST, HostId, HostKey, Mentions, NamedPorts, PeerInfo, PeerKey, ServiceInfo, UNKNOWN, WORLD_V4, WORLD_V6};
use crate::dialect::Dialect;
use crate::labels::{LabelSet, Operator, Requirement};
use crate::policy::{PeerSelector, ServiceSelector};

/// Every peer of a cluster under a dialect, given what policies mention.
///
/// Built from nothing, numbers follow the order of keys. Extended from an earlier table, every key keeps its number and new keys come
/// after all others; keys that vanished keep theirs too, without addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerTable {
    pub(super) peers: Vec<PeerInfo>,
    pub(super) numbers: Arc<BTreeMap<Arc<PeerKey>, PeerId>>,
    pub(super) hosts: Vec<HostKey>,
    pub(super) nodes: BTreeMap<String, NodeEntry>,
    pub(super) addresses: BTreeMap<Prefix, PeerId>,
    /// Peers by the key and value of each of their labels, ascending; whatever the source.
    pub(super) carriers: Arc<BTreeMap<String, BTreeMap<String, Vec<PeerId>>>>,
    /// Peers outside the cluster by their region, which several share whose labels differ.
    pub(super) regions: Arc<BTreeSet<(Prefix, PeerId)>>,
    /// Peers inside the cluster, `host` left out, by each prefix that they are covered by.
    pub(super) covered: Arc<BTreeSet<(Prefix, PeerId)>>,
    pub(super) port_names: NamedPorts,
    pub(super) mentioned_ports: BTreeSet<String>,
    pub(super) groups: BTreeMap<String, CidrGroup>,
    pub(super) cloud_groups: BTreeMap<String, BTreeSet<Prefix>>,
    pub(super) services: BTreeMap<Name, ServiceInfo>,
    pub(super) cluster_name: String,
    pub(super) local_by_default: bool,
    pub(super) prefixes_match_nodes: bool,
    pub(super) prefixes_match_pods: bool,
}

/// A node as a peer: what it is to itself, and its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeEntry {
    pub(super) host: HostId,
    pub(super) addresses: BTreeSet<IpAddr>,
}

impl PeerTable {
    /// The table of a cluster, numbered from nothing.
    pub fn build(cluster: &Cluster, mentions: &Mentions, dialect: &Dialect) -> PeerTable {
        PeerTable::default().extend(cluster, mentions, dialect)
    }

    /// The table of a changed cluster that keeps every number of this one.
    pub fn extend(&self, cluster: &Cluster, mentions: &Mentions, dialect: &Dialect) -> PeerTable {
        let mut found = Found::new(cluster, mentions, dialect);
        found.nodes();
        found.pods();
        found.outside();
        found.into_table(self)
    }

    /// Every peer with its number, ascending; the numbers have no gaps.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &PeerInfo)> {
        self.peers.iter().enumerate().map(|(at, info)| (PeerId(at as u32), info))
    }

    /// One peer; `None` for a number of another table.
    pub fn peer(&self, peer: PeerId) -> Option<&PeerInfo> {
        self.peers.get(peer.0 as usize)
    }

    /// The peer that has exactly this address, whichever node asks; `None` when there is none.
    pub(crate) fn peer_at(&self, address: IpAddr) -> Option<&PeerInfo> {
        self.peer(*self.addresses.get(&Prefix::host(address))?)
    }

    /// What a peer is called; the number itself for one of another table.
    pub fn name(&self, peer: PeerId) -> String {
        self.peer(peer).map_or_else(|| peer.to_string(), |info| info.name.clone())
    }

    /// What `host` is on the nodes of each [`HostId`].
    pub fn hosts(&self) -> &[HostKey] {
        &self.hosts
    }

    /// Which `host` a node sees; that of a node without anything special when it is unknown.
    pub fn host_of(&self, node: Option<&str>) -> HostId {
        node.and_then(|node| self.nodes.get(node)).map_or(HostId(0), |entry| entry.host)
    }

    /// The addresses as one node sees them: its own are `host`, those of other nodes are theirs. The longest prefix decides.
    ///
    /// Shape: ascending by prefix, without duplicates; holds both `/0` prefixes.
    pub fn addresses(&self, node: Option<&str>) -> Vec<(Prefix, PeerId)> {
        let own = node.and_then(|node| self.nodes.get(node)).map(|entry| &entry.addresses);
        let seen = |prefix: &Prefix, peer: PeerId| match own {
            Some(own) if prefix.len() == prefix.family().bits() && own.contains(&prefix.addr()) => HOST,
            _ => peer,
        };
        self.addresses.iter().map(|(prefix, peer)| (*prefix, seen(prefix, *peer))).collect()
    }

    /// The peer that an address is to a node.
    ///
    /// Cost: one look-up for each prefix length.
    pub fn lookup(&self, node: Option<&str>, address: IpAddr) -> PeerId {
        let own = node.and_then(|node| self.nodes.get(node)).is_some_and(|entry| entry.addresses.contains(&address));
        if own {
            return HOST;
        }
        let lengths = (0..=Family::of(address).bits()).rev();
        let prefixes = lengths.filter_map(|len| Prefix::new(address, len));
        prefixes.filter_map(|prefix| self.addresses.get(&prefix)).next().copied().unwrap_or(UNKNOWN)
    }

    /// The peer that an address is which nobody inside the cluster has, whatever ranges of the cluster say.
    ///
    /// Cost: one look-up for each prefix length.
    pub fn outside(&self, address: IpAddr) -> PeerId {
        let family = Family::of(address);
        let prefixes = (0..=family.bits()).rev().filter_map(|len| Prefix::new(address, len));
        let mut known = prefixes.filter_map(|prefix| self.addresses.get(&prefix).copied());
        let is_region = |peer: &PeerId| self.peer(*peer).is_some_and(|info| info.key.region.is_some());
        let world = if family == Family::V4 { WORLD_V4 } else { WORLD_V6 };
        known.find(is_region).unwrap_or(world)
    }

    /// Peers that may satisfy every one of these requirements: those that carry what the most telling of them asks for.
    ///
    /// Shape: ascending, without `host`, whose labels depend on the node; may hold peers that satisfy none of the others.
    /// `None` when no requirement asks for a label to be there, so that every peer may.
    pub(crate) fn candidates(&self, requirements: &[Requirement]) -> Option<Vec<PeerId>> {
        let carriers = |requirement: &Requirement| -> Option<Vec<&Vec<PeerId>>> {
            let by_value = self.carriers.get(&requirement.key);
            match &requirement.operator {
                Operator::In(values) => {
                    Some(values.iter().filter_map(|value| by_value.and_then(|it| it.get(value))).collect())
                }
                Operator::Exists => Some(by_value.map(|it| it.values().collect()).unwrap_or_default()),
                Operator::NotIn(_) | Operator::DoesNotExist => None,
            }
        };
        let fewest = requirements
            .iter()
            .filter_map(carriers)
            .min_by_key(|lists| lists.iter().map(|it| it.len()).sum::<usize>())?;
        let mut found: Vec<PeerId> = fewest.into_iter().flatten().copied().filter(|peer| *peer != HOST).collect();
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// The peers whose region a prefix covers. Cost: those within the prefix.
    pub(crate) fn regions_in(&self, prefix: Prefix) -> impl Iterator<Item = PeerId> + '_ {
        // Ordered by address, then length: what a prefix covers follows it without a gap.
        let from = self.regions.range((prefix, PeerId(0))..);
        from.take_while(move |(region, _)| prefix.covers(*region)).map(|(_, peer)| *peer)
    }

    /// The peers inside the cluster, `host` left out, that this very prefix matches by address.
    pub(crate) fn covered_by(&self, prefix: Prefix) -> impl Iterator<Item = PeerId> + '_ {
        self.covered.range((prefix, PeerId(0))..=(prefix, PeerId(u32::MAX))).map(|(_, peer)| *peer)
    }

    /// The port names that policies mention; others tell no two peers or subjects apart.
    pub fn mentioned_ports(&self) -> &BTreeSet<String> {
        &self.mentioned_ports
    }

    /// Port numbers by mentioned name over all pods.
    pub fn port_names(&self) -> &NamedPorts {
        &self.port_names
    }

    /// Named sets of prefixes.
    pub fn groups(&self) -> &BTreeMap<String, CidrGroup> {
        &self.groups
    }

    /// The addresses of groups of a cloud, by what a policy writes of them.
    pub fn cloud_groups(&self) -> &BTreeMap<String, BTreeSet<Prefix>> {
        &self.cloud_groups
    }

    /// The services that policies speak of.
    pub fn services(&self) -> &BTreeMap<Name, ServiceInfo> {
        &self.services
    }

    /// The same peers, selected without speaking of services; nothing when nothing stands behind them.
    pub fn behind(&self, services: &ServiceSelector) -> Vec<PeerSelector> {
        let meant = self.services.iter().filter(|(name, info)| services.selects(name, &info.labels));
        meant.flat_map(|(_, info)| info.peers()).collect()
    }

    /// The name of this cluster.
    pub fn cluster_name(&self) -> &str {
        &self.cluster_name
    }

    /// Whether a selector that names no cluster means this one.
    pub fn local_by_default(&self) -> bool {
        self.local_by_default
    }

    /// Whether a prefix that matches by identity matches what has these labels too, when its address lies inside.
    pub fn prefixes_match(&self, labels: &LabelSet) -> bool {
        let is_node = labels.has_reserved("remote-node") || labels.has_reserved("host");
        if is_node { self.prefixes_match_nodes } else { self.prefixes_match_pods }
    }

    /// The table without addresses, node names and names for people: all that binding policies reads. Pods that join known peers
    /// leave it equal.
    pub fn space(&self) -> PeerTable {
        let unnamed = |info: &PeerInfo| PeerInfo { key: info.key.clone(), name: String::new() };
        PeerTable {
            peers: self.peers.iter().map(unnamed).collect(),
            addresses: BTreeMap::new(),
            nodes: BTreeMap::new(),
            ..self.clone()
        }
    }
}
