//! Subjects and peers of both sides, paired.

use crate::blocks::{Blocks, is_covered};
use crate::names::Names;
use crate::side::Side;
use crate::suppose::Supposed;
use driver::Stop;
use flow::{Family, PeerId, Prefix};
use hir::peers::{self, PeerTable};
use hir::subject::{self, Class, Subject, SubjectKind};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Whoever may be on the other side of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// A pod, real or supposed.
    Pod(facts::Name),
    /// A node, as others see it.
    Node(String),
    /// The subject's own node.
    Own,
    /// Addresses outside the cluster: this prefix without the more special ones that are parties too.
    Outside(Prefix),
    /// Something with an identity of its own: health endpoints, addresses of nobody.
    Special(&'static str),
}

/// Parties that no subject tells apart on either side.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub old: PeerId,
    pub new: PeerId,
    /// Which of the units it is as a subject; none where nothing is enforced.
    pub unit: Option<usize>,
    pub family: Option<Family>,
    pub members: Vec<Party>,
    /// Nobody in it is in the files of either side.
    pub supposed: bool,
}

impl Group {
    /// The namespaces of its pods.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter_map(|it| if let Party::Pod(name) = it { Some(name.namespace.as_str()) } else { None })
    }
}

/// Subjects that are alike on both sides, as subjects and as peers.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Indices into the classes of the sides.
    pub classes: [usize; 2],
    /// What they are as peers, by family: on the old side and on the new one.
    pub peers: [Option<(PeerId, PeerId)>; 2],
    /// Their node, where all are on one.
    pub node: Option<String>,
    pub members: Vec<Subject>,
    pub supposed: bool,
}

/// One side, made ready.
pub(crate) struct Ready {
    pub side: Side,
    pub table: Arc<PeerTable>,
    pub classes: Vec<Class>,
}

/// Both sides.
pub(crate) struct World {
    pub sides: [Ready; 2],
    /// Whether peers have the same numbers on both sides, and settings are the same.
    pub alike: bool,
    pub units: Vec<Unit>,
    pub groups: Vec<Group>,
    pub names: Names,
    /// Which unit a node is as a subject, where nodes are.
    nodes: BTreeMap<String, usize>,
    /// The groups that a peer of a side is in.
    by_peer: [FxHashMap<u32, Vec<usize>>; 2],
}

type UnitKey = ([usize; 2], [Option<(PeerId, PeerId)>; 2], Option<String>, bool);
type GroupKey = (PeerId, PeerId, Option<usize>, Option<Family>, bool);

impl World {
    pub fn of(old: Side, new: Side, supposed: Supposed) -> World {
        let mut mentions = old.mentions();
        mentions.extend(&new.mentions());
        let stop = new.stop.clone();
        let table = |side: &Side| {
            stop.check();
            Arc::new(PeerTable::build(&side.cluster, &mentions, side.dialect))
        };
        let alike = old.dialect == new.dialect && old.cluster == new.cluster;
        let old_table = table(&old);
        let new_table = if alike { old_table.clone() } else { table(&new) };
        let of = |side: &Side, table: &PeerTable| {
            stop.check();
            subject::classes(&side.cluster, table, side.dialect)
        };
        let old_classes = of(&old, &old_table);
        let new_classes = if alike { old_classes.clone() } else { of(&new, &new_table) };
        stop.check();
        let names = Names::of(&old.cluster, &new.cluster, supposed);
        let index = |classes: &BTreeMap<Class, Vec<Subject>>| -> BTreeMap<Subject, usize> {
            let each = classes.values().enumerate();
            each.flat_map(|(at, subjects)| subjects.iter().map(move |subject| (subject.clone(), at))).collect()
        };
        let (in_old, in_new) = (index(&old_classes), index(&new_classes));
        let ready = |side, table, classes: BTreeMap<Class, Vec<Subject>>| Ready {
            side,
            table,
            classes: classes.into_keys().collect(),
        };
        let sides = [ready(old, old_table, old_classes), ready(new, new_table, new_classes)];
        let mut world = World {
            sides,
            alike,
            units: Vec::new(),
            groups: Vec::new(),
            names,
            nodes: BTreeMap::new(),
            by_peer: Default::default(),
        };
        let unit_of = world.pair(&in_old, &in_new);
        world.gather(&unit_of);
        for (at, group) in world.groups.iter().enumerate() {
            for (side, peer) in [group.old, group.new].into_iter().enumerate() {
                world.by_peer[side].entry(peer.0).or_default().push(at);
            }
        }
        world
    }

    /// Pairs subjects.
    fn pair(&mut self, old: &BTreeMap<Subject, usize>, new: &BTreeMap<Subject, usize>) -> BTreeMap<Subject, usize> {
        let by_node = self.sides.iter().any(|ready| ready.side.cluster.config.host_firewall);
        let mut units: BTreeMap<UnitKey, Vec<Subject>> = BTreeMap::new();
        for (subject, before) in old {
            self.stop().check();
            let Some(after) = new.get(subject) else { continue };
            let node = self.node_of(subject).filter(|_| by_node);
            let supposed = self.names.is_of_nobody(subject);
            let peers = [Family::V4, Family::V6].map(|family| self.peers_of(subject, family).first().copied());
            units.entry(([*before, *after], peers, node, supposed)).or_default().push(subject.clone());
        }
        let mut unit_of = BTreeMap::new();
        for (at, ((classes, peers, _, supposed), members)) in units.into_iter().enumerate() {
            unit_of.extend(members.iter().map(|subject| (subject.clone(), at)));
            for member in &members {
                if let Subject::Node(name) = member {
                    self.nodes.insert(name.clone(), at);
                }
            }
            let nodes: BTreeSet<Option<String>> = members.iter().map(|it| self.node_of(it)).collect();
            let node = nodes.first().cloned().flatten().filter(|_| nodes.len() == 1);
            self.units.push(Unit { classes, peers, node, members, supposed });
        }
        unit_of
    }

    /// Whether anybody still wants to know.
    pub fn stop(&self) -> &Stop {
        &self.sides[1].side.stop
    }

    fn node_of(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Pod(name) => self.sides[1].side.cluster.pods.get(name)?.node.clone(),
            Subject::Node(name) | Subject::Health(name) | Subject::Ingress(name) => Some(name.clone()),
        }
    }

    /// What a subject is as a peer, once for each pair of its addresses of a family.
    fn peers_of(&self, subject: &Subject, family: Family) -> Vec<(PeerId, PeerId)> {
        let of = |side: usize| -> Vec<PeerId> {
            let Ready { side, table, .. } = &self.sides[side];
            let mut addresses: Vec<IpAddr> = match subject {
                Subject::Pod(name) => side.cluster.pods.get(name).into_iter().flat_map(|pod| pod.own_ips()).collect(),
                Subject::Node(name) => side.cluster.node_ips().remove(name.as_str()).into_iter().flatten().collect(),
                Subject::Health(_) => return vec![peers::HEALTH],
                Subject::Ingress(_) => return vec![peers::INGRESS],
            };
            addresses.retain(|address| Family::of(*address) == family);
            addresses.iter().map(|address| table.lookup(None, *address)).collect()
        };
        let (olds, news) = (of(0), of(1));
        let longest = olds.len().max(news.len());
        let at = |list: &[PeerId], at: usize| list.get(at).or(list.last()).copied();
        (0..longest).filter_map(|it| Some((at(&olds, it)?, at(&news, it)?))).collect()
    }

    fn gather(&mut self, unit_of: &BTreeMap<Subject, usize>) {
        let mut groups: BTreeMap<GroupKey, Vec<Party>> = BTreeMap::new();
        let mut add = |old, new, unit, family, supposed, party| {
            groups.entry((old, new, unit, family, supposed)).or_default().push(party);
        };
        for pod in self.sides[1].side.cluster.pods.values().filter(|pod| !pod.host_network && !pod.phase.is_over()) {
            self.stop().check();
            let subject = Subject::Pod(pod.name.clone());
            let unit = unit_of.get(&subject).copied();
            let supposed = self.names.is_supposed(&pod.name);
            for family in [Family::V4, Family::V6] {
                for (old, new) in self.peers_of(&subject, family) {
                    add(old, new, unit, Some(family), supposed, Party::Pod(pod.name.clone()));
                }
            }
        }
        let mut inside: BTreeSet<IpAddr> = BTreeSet::new();
        for ready in &self.sides {
            inside.extend(ready.side.cluster.pods.values().flat_map(|pod| pod.own_ips()));
            inside.extend(ready.side.cluster.node_ips().into_values().flatten());
        }
        let nodes: BTreeSet<String> = self.sides[1].side.cluster.node_ips().into_keys().map(str::to_owned).collect();
        for node in nodes {
            let subject = Subject::Node(node.clone());
            let unit = unit_of.get(&subject).copied();
            let supposed = self.names.supposed.nodes.contains(&node);
            for family in [Family::V4, Family::V6] {
                for (old, new) in self.peers_of(&subject, family) {
                    add(old, new, unit, Some(family), supposed, Party::Node(node.clone()));
                }
            }
        }
        add(peers::HOST, peers::HOST, None, None, false, Party::Own);
        for (name, peer) in SPECIALS {
            add(peer, peer, None, None, false, Party::Special(name));
        }
        let outside = self.outside(&inside);
        for (prefix, old, new) in &outside {
            let supposed = prefix.len() == prefix.family().bits() && self.names.stands_for(prefix.addr()).is_some();
            add(*old, *new, None, Some(prefix.family()), supposed, Party::Outside(*prefix));
        }
        let ranges = self.sides.iter().flat_map(|ready| ready.side.cluster.ranges()).collect();
        self.names.blocks = Blocks::of(outside.iter().map(|(prefix, ..)| *prefix).collect(), ranges);
        let group = |((old, new, unit, family, supposed), mut members): (GroupKey, Vec<Party>)| {
            members.sort();
            members.dedup();
            Group { old, new, unit, family, members, supposed }
        };
        self.groups = groups.into_iter().map(group).collect();
    }

    /// Every region outside the cluster that holds an address, and what it is on each side.
    fn outside(&self, inside: &BTreeSet<IpAddr>) -> Vec<(Prefix, PeerId, PeerId)> {
        let tables: Vec<BTreeMap<Prefix, PeerId>> =
            self.sides.iter().map(|ready| ready.table.addresses(None).into_iter().collect()).collect();
        let all: BTreeSet<Prefix> = tables.iter().flat_map(|table| table.keys().copied()).collect();
        let sorted: Vec<Prefix> = all.iter().copied().collect();
        let longest = |table: &BTreeMap<Prefix, PeerId>, prefix: Prefix| {
            let shorter = (0..=prefix.len()).rev().filter_map(|len| Prefix::new(prefix.addr(), len));
            shorter.filter_map(|prefix| table.get(&prefix)).next().copied().unwrap_or(peers::UNKNOWN)
        };
        let mut found = Vec::new();
        for (at, prefix) in sorted.iter().enumerate() {
            self.stop().check();
            let one = prefix.len() == prefix.family().bits();
            if one && inside.contains(&prefix.addr()) {
                continue;
            }
            let end = at + 1 + sorted[at + 1..].partition_point(|other| prefix.covers(*other));
            if is_covered(*prefix, &sorted[at + 1..end]) {
                continue;
            }
            let (old, new) = (longest(&tables[0], *prefix), longest(&tables[1], *prefix));
            // Why: what is nobody's address is one party, whatever range it lies in.
            let special = |peer: PeerId| SPECIALS.iter().any(|(_, known)| *known == peer);
            if !(old == new && special(old)) {
                found.push((*prefix, old, new));
            }
        }
        found
    }

    /// The groups that some peers of a side are in.
    pub fn groups_of(&self, side: usize, peers: impl Iterator<Item = PeerId>) -> impl Iterator<Item = usize> {
        peers.flat_map(move |peer| self.by_peer[side].get(&peer.0).into_iter().flatten().copied())
    }

    /// Whether a group is the only member of a unit itself: a pod always reaches itself. One that stands for many is not alone: pods of a
    /// workload and pods of which only policies tell reach others of their kind by what is decided.
    pub fn is_itself(&self, unit: usize, group: &Group) -> bool {
        let one = || match self.units[unit].members.as_slice() {
            [one] => !self.names.stands_for_many(one),
            _ => false,
        };
        group.unit == Some(unit) && one()
    }

    /// Whether a unit is of nodes.
    pub fn is_host(&self, unit: usize) -> bool {
        self.sides[1].classes[self.units[unit].classes[1]].kind == SubjectKind::Host
    }

    /// Whether the subjects of a unit meet a group at all: a node's own subjects meet it as their own node.
    pub fn meets(&self, unit: usize, group: &Group) -> bool {
        let Unit { node, .. } = &self.units[unit];
        match group.members.as_slice() {
            [Party::Own] => !self.is_host(unit),
            [Party::Node(name)] => node.as_ref() != Some(name),
            _ => true,
        }
    }

    /// Whether a group that no rule names is nobody, as both sides read policies: where blocks match whoever has an address, every address
    /// is a pod's, a node's or outside. Others are told apart only where peers are identities.
    pub fn is_of_no_address(&self, group: usize) -> bool {
        let by_address = self.sides.iter().all(|ready| ready.side.dialect.ip_block_matches_pods);
        by_address && matches!(self.groups[group].members.as_slice(), [Party::Special(_)])
    }

    /// Who the other end is as a subject: for the own node, that node.
    pub fn other(&self, unit: usize, group: &Group) -> Option<usize> {
        if group.members != [Party::Own] {
            return group.unit;
        }
        self.nodes.get(self.units[unit].node.as_ref()?).copied()
    }
}

const SPECIALS: [(&str, PeerId); 5] = [
    ("addresses of nobody inside the cluster", peers::UNKNOWN),
    ("health endpoints", peers::HEALTH),
    ("proxies of Ingress and Gateway", peers::INGRESS),
    ("endpoints without labels yet", peers::INIT),
    ("unmanaged addresses", peers::UNMANAGED),
];
