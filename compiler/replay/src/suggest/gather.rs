//! From groups of records to workloads, their peers and their ports.

use super::stable::{self, Workload};
use super::{Kind, is_pod};
use crate::place::{self, Place};
use crate::record::End;
use crate::tally::{EndId, Group, Seen, Tally};
use facts::{Cluster, Labels, Name};
use flow::{Direction, L4Key, Protocol};
use hir::{Dialect, Entity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// So many addresses outside the cluster for one port are no longer listed one by one.
const MOST_ADDRESSES: usize = 16;

/// Why a record of port 0 is left out.
pub const PORTLESS: &str = "no rule can name port 0";

/// Whom a policy is about.
pub type Subject = Workload;

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Pods of a workload.
    Workload(Workload),
    /// A special party, for kinds that can name it.
    Entity(&'static str),
    /// A DNS name, for kinds that can name it.
    Name(String),
    /// One address.
    Address(IpAddr),
    /// Every pod of the cluster: whoever may need to look names up.
    Cluster,
    /// Everybody, because the kind has no words for the special party that was seen.
    Everybody {
        /// That party.
        instead_of: &'static str,
    },
    /// Every address outside the cluster of one family, because there were so many.
    World {
        /// Of IPv6.
        v6: bool,
        /// How many addresses were seen.
        seen: usize,
    },
}

/// Ports by peer, with how often they were asked.
pub type Rules = BTreeMap<Peer, BTreeMap<L4Key, Seen>>;

/// Everything that policies are made of.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// By subject: what comes in, what goes out.
    pub subjects: BTreeMap<Subject, [Rules; 2]>,
    /// The workloads that answer DNS.
    pub dns: BTreeSet<Workload>,
    /// Groups that no policy of this kind can allow, and why.
    pub left: BTreeMap<Group, String>,
}

/// Gathers what the groups of a tally ask for, those left out that went to a service and for which no translation was found. `cluster` holds
/// the pods that records made, too.
pub fn gather(
    tally: &Tally,
    places: &[Place],
    untranslated: &BTreeMap<Group, String>,
    cluster: &Cluster,
    kind: Kind,
    dialect: &Dialect,
) -> Gathered {
    let mut gathering = Gathering {
        ends: &tally.ends,
        places,
        untranslated,
        cluster,
        kind,
        dialect,
        workloads: workloads(cluster, tally, places),
        out: Gathered::default(),
    };
    for (group, seen) in tally.sorted() {
        gathering.add(&group, &seen);
    }
    gathering.find_dns();
    let mut out = gathering.out;
    open_dns(&mut out);
    for rules in out.subjects.values_mut().flatten() {
        widen(rules);
        absorb(rules);
    }
    out
}

/// What an end is called in reports.
pub fn called(ends: &[End], places: &[Place], id: EndId) -> String {
    let end = &ends[id.0 as usize];
    match (&places[id.0 as usize], end.names.first()) {
        (Place::Pod { name, .. }, _) if end.workload.is_empty() => {
            format!("{}/{}", name.namespace, place::of_pod(name.name.split('~').next().unwrap_or_default()))
        }
        (Place::Pod { name, .. }, _) => format!("{}/{}", name.namespace, end.workload),
        (Place::Node(name, _), _) => format!("node {name}"),
        (Place::Reserved(_, entity), _) => reason::party::entity_name(*entity).to_owned(),
        (Place::Outside(_) | Place::Address(_), Some(name)) => name.clone(),
        (Place::Outside(address) | Place::Address(address), None) => address.to_string(),
        (Place::Nobody, _) => "nobody".to_owned(),
    }
}

/// The stable labels of every pod: all pods of the cluster count, so that a selector tells a workload from silent neighbours, too.
fn workloads(cluster: &Cluster, tally: &Tally, places: &[Place]) -> BTreeMap<Name, Option<Workload>> {
    let mut made_by: BTreeMap<&Name, &str> = BTreeMap::new();
    for (end, place) in tally.ends.iter().zip(places) {
        if let (Place::Pod { name, .. }, false) = (place, end.workload.is_empty()) {
            made_by.insert(name, &end.workload);
        }
    }
    let mut namespaces: BTreeMap<&str, Vec<(&Name, &str, &Labels)>> = BTreeMap::new();
    for pod in cluster.pods.values().filter(|pod| !pod.host_network) {
        let plain = pod.name.name.split('~').next().unwrap_or_default();
        let workload = made_by.get(&pod.name).copied().unwrap_or_else(|| place::of_pod(plain));
        namespaces.entry(&pod.name.namespace).or_default().push((&pod.name, workload, &pod.labels));
    }
    let mut found = BTreeMap::new();
    for (namespace, pods) in namespaces {
        let described: Vec<(&str, &Labels)> = pods.iter().map(|(_, workload, labels)| (*workload, *labels)).collect();
        for ((name, ..), labels) in pods.iter().zip(stable::selectors(&described)) {
            let workload = labels.map(|labels| Workload { namespace: namespace.to_owned(), labels });
            found.insert((*name).clone(), workload);
        }
    }
    found
}

struct Gathering<'a> {
    ends: &'a [End],
    places: &'a [Place],
    untranslated: &'a BTreeMap<Group, String>,
    cluster: &'a Cluster,
    kind: Kind,
    dialect: &'a Dialect,
    workloads: BTreeMap<Name, Option<Workload>>,
    out: Gathered,
}

impl Gathering<'_> {
    fn add(&mut self, group: &Group, seen: &Seen) {
        let key = group.key;
        if is_portless(key) {
            self.out.left.insert(*group, PORTLESS.to_owned());
            return;
        }
        let destination = self.destination(group);
        let source = self.peer(group.source, Direction::Ingress);
        let sides =
            [(group.destination, &destination, source.clone(), 0), (group.source, &source, destination.clone(), 1)];
        for (end, mine, other, direction) in sides {
            let other =
                other.map(|peer| self.beside(end, if direction == 0 { group.source } else { group.destination }, peer));
            let subject = match mine {
                Ok(Peer::Workload(workload)) => workload.clone(),
                Err(why) if is_pod(&self.places[end.0 as usize]) => {
                    self.out.left.insert(*group, why.clone());
                    continue;
                }
                _ => continue,
            };
            match (other, self.kind, key.protocol()) {
                // Nothing need be said: a pod's own node always reaches it.
                (Ok(Peer::Entity("host")), Kind::NetworkPolicy, _) if direction == 0 => {
                    self.out.subjects.entry(subject).or_default();
                }
                (_, Kind::NetworkPolicy, protocol) if !has_ports(protocol) => {
                    self.out.left.insert(*group, format!("NetworkPolicy has no words for {protocol}"));
                }
                (Ok(peer), ..) => {
                    // Why not left out: a policy for this pod would cut what was seen, such as nodes that ask for names.
                    let peer = match peer {
                        Peer::Entity(instead_of) if self.kind == Kind::NetworkPolicy => Peer::Everybody { instead_of },
                        peer => peer,
                    };
                    let rules = &mut self.out.subjects.entry(subject).or_default()[direction];
                    rules.entry(peer).or_default().entry(key).or_default().merge(seen);
                }
                (Err(why), ..) => drop(self.out.left.insert(*group, why)),
            }
        }
    }

    /// A peer as rules about a pod name it: the pod's own node is not one of the others.
    fn beside(&self, subject: EndId, other: EndId, peer: Peer) -> Peer {
        let Place::Pod { name, .. } = &self.places[subject.0 as usize] else { return peer };
        let own = self.cluster.pods.get(name).and_then(|pod| pod.node.as_ref());
        match (&self.places[other.0 as usize], peer) {
            (Place::Node(node, _), Peer::Entity("remote-node")) if Some(node) == own => Peer::Entity("host"),
            (_, peer) => peer,
        }
    }

    /// The destination as a rule names it. Errors: why it cannot.
    fn destination(&self, group: &Group) -> Result<Peer, String> {
        match self.untranslated.get(group) {
            Some(why) => Err(why.clone()),
            None => self.peer(group.destination, Direction::Egress),
        }
    }

    /// An end as a rule names it. Errors: why it cannot.
    fn peer(&self, end: EndId, direction: Direction) -> Result<Peer, String> {
        let it = &self.ends[end.0 as usize];
        let by_address = self.kind == Kind::NetworkPolicy && self.dialect.ip_block_matches_nodes;
        if it.is_reserved("kube-apiserver") {
            let address = it.address.filter(|_| by_address);
            return Ok(address.map_or(Peer::Entity("kube-apiserver"), Peer::Address));
        }
        match &self.places[end.0 as usize] {
            Place::Pod { name, .. } => match self.workloads.get(name) {
                Some(Some(workload)) => Ok(Peer::Workload(workload.clone())),
                _ => Err(format!("pod {name} has no label that stays")),
            },
            Place::Node(_, Some(address)) if by_address => Ok(Peer::Address(*address)),
            Place::Node(..) => Ok(Peer::Entity("remote-node")),
            Place::Reserved(_, entity) => match entity {
                Entity::Host => Ok(Peer::Entity("host")),
                Entity::RemoteNode => Ok(Peer::Entity("remote-node")),
                Entity::Health => Ok(Peer::Entity("health")),
                Entity::Ingress => Ok(Peer::Entity("ingress")),
                Entity::Init => Ok(Peer::Entity("init")),
                Entity::Unmanaged => Ok(Peer::Entity("unmanaged")),
                other => Err(format!("no rule names {}", reason::party::entity_name(*other))),
            },
            Place::Outside(address) | Place::Address(address) => match it.names.first() {
                Some(name) if self.kind == Kind::CiliumNetworkPolicy && direction == Direction::Egress => {
                    Ok(Peer::Name(name.clone()))
                }
                _ => Ok(Peer::Address(*address)),
            },
            Place::Nobody => Err("nothing tells who it is".to_owned()),
        }
    }

    /// Who answers DNS: whoever was asked on port 53, and pods that carry the usual label.
    fn find_dns(&mut self) {
        let is_dns = |key: &L4Key| key.low() == 53 && matches!(key.protocol(), Protocol::UDP | Protocol::TCP);
        let asked =
            self.out.subjects.iter().filter(|(_, [ingress, _])| ingress.values().any(|ports| ports.keys().any(is_dns)));
        let mut dns: BTreeSet<Workload> = asked.map(|(subject, _)| subject.clone()).collect();
        let usual =
            self.cluster.pods.values().filter(|pod| pod.labels.get("k8s-app").is_some_and(|app| app == "kube-dns"));
        dns.extend(usual.filter_map(|pod| self.workloads.get(&pod.name)?.clone()));
        if dns.is_empty() {
            let labels = [("k8s-app".to_owned(), "kube-dns".to_owned())].into();
            dns.insert(Workload { namespace: "kube-system".to_owned(), labels });
        }
        self.out.dns = dns;
    }
}

/// Whether a record is of port 0, which no rule can name: there 0 stands for every port, or is refused.
pub fn is_portless(key: L4Key) -> bool {
    has_ports(key.protocol()) && key.low() == 0
}

fn has_ports(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::TCP | Protocol::UDP | Protocol::SCTP)
}

/// Lets every pod ask those who answer DNS, and everybody where somebody asked whom a rule cannot name: a log never shows all who will need
/// them, and a refused look-up breaks everything else.
fn open_dns(out: &mut Gathered) {
    for dns in &out.dns {
        let Some([ingress, _]) = out.subjects.get_mut(dns) else { continue };
        let mut asked = Seen::default();
        for (_, ports) in ingress.iter_mut().filter(|(peer, _)| matches!(peer, Peer::Workload(_))) {
            for protocol in [Protocol::UDP, Protocol::TCP] {
                asked.merge(&ports.remove(&L4Key::new(protocol, 53)).unwrap_or_default());
            }
        }
        ingress.retain(|_, ports| !ports.is_empty());
        let both = [Protocol::UDP, Protocol::TCP].map(|protocol| L4Key::new(protocol, 53));
        let unnamed = ingress.iter_mut().find(|(peer, ports)| {
            matches!(peer, Peer::Everybody { .. }) && both.iter().any(|key| ports.contains_key(key))
        });
        match unnamed {
            Some((_, ports)) => {
                for key in both {
                    ports.entry(key).or_default();
                }
                ports.entry(both[0]).or_default().merge(&asked);
            }
            None if asked.records > 0 => drop(ingress.insert(Peer::Cluster, both.map(|key| (key, asked)).into())),
            None => {}
        }
    }
}

/// Joins addresses of one family into the world where there are too many for a rule that people can read.
fn widen(rules: &mut Rules) {
    for v6 in [false, true] {
        let of_family = |peer: &&Peer| matches!(peer, Peer::Address(address) if address.is_ipv6() == v6);
        let addresses: Vec<Peer> = rules.keys().filter(of_family).cloned().collect();
        if addresses.len() <= MOST_ADDRESSES {
            continue;
        }
        let mut joined: BTreeMap<L4Key, Seen> = BTreeMap::new();
        for address in &addresses {
            for (key, seen) in rules.remove(address).unwrap_or_default() {
                joined.entry(key).or_default().merge(&seen);
            }
        }
        rules.insert(Peer::World { v6, seen: addresses.len() }, joined);
    }
}

/// What everybody may ask need be said of nobody else.
fn absorb(rules: &mut Rules) {
    let open: Vec<Peer> = rules.keys().filter(|peer| matches!(peer, Peer::Everybody { .. })).cloned().collect();
    for peer in open {
        // Gone where another of them has all of its ports.
        let Some(mut ports) = rules.remove(&peer) else { continue };
        for others in rules.values_mut() {
            for (key, seen) in &mut ports {
                others.remove(key).iter().for_each(|known| seen.merge(known));
            }
        }
        rules.retain(|_, ports| !ports.is_empty());
        rules.insert(peer, ports);
    }
}
