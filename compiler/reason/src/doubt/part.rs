//! The part of the policies that can decide one flow, with the doubts in it.

use super::selector::{self, Peer};
use super::{Answer, Asked, Fact, Missing, answer};
use crate::world::World;
use driver::{Knowledge, locate};
use flow::{L4Key, L4Set, PeerSet, Peers};
use hir::policy::{L3, L4, Policy, Ports, Section, Subjects};
use hir::resolve;
use hir::subject::{self, SubjectKind};
use hir::{Effect, Entity, Entry, PeerSelector, Selector};
use kinds::Consequence;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One thing that may be or not be.
pub(super) struct Doubt {
    what: What,
    /// What would have to be known.
    pub missing: BTreeSet<Missing>,
}

/// What may be or not be. Units: indices into the policies of [`Parts`], their sections and entries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A selector selects the peer.
    Selects(PeerSelector),
    /// A section is about the subject.
    About(usize, usize),
    /// An entry matches.
    Matches(usize, usize, usize),
    /// A port name stands for the port that is asked for.
    Named(String),
}

/// What can decide one flow.
pub(super) struct Parts<'a, 'w> {
    world: &'a World<'w>,
    asked: &'a Asked<'a>,
    peer: &'a Peer,
    policies: Vec<Policy>,
    doubts: Vec<Doubt>,
}

impl<'a, 'w> Parts<'a, 'w> {
    pub fn of(world: &'a World<'w>, asked: &'a Asked<'a>, peer: &'a Peer) -> Parts<'a, 'w> {
        let mut parts = Parts { world, asked, peer, policies: Vec::new(), doubts: Vec::new() };
        let partial = world.db.project().knowledge(world.db) == Knowledge::Partial;
        let config = &*asked.class.config(&world.cluster.config);
        for policy in world.policies.iter().filter(|it| hir::refusal::refusals(it, config, world.dialect).is_empty()) {
            let sections: Vec<Section> = policy
                .sections
                .iter()
                .filter(|it| parts.may_be_about(it, partial))
                .map(|it| parts.shortened(it))
                .collect();
            if !sections.is_empty() {
                parts.policies.push(Policy { sections, ..(**policy).clone() });
            }
        }
        parts.doubt_clauses();
        if partial {
            parts.doubt_sections();
            parts.doubt_ports();
            parts.doubt_services();
            parts.doubt_selectors();
        }
        parts
    }

    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    fn may_be_about(&self, section: &Section, partial: bool) -> bool {
        subject::selects(section, self.asked.class) || partial && !self.unsure_of(section).is_empty()
    }

    /// What would have to be known to be sure of whether a section is about the subject.
    fn unsure_of(&self, section: &Section) -> BTreeSet<Missing> {
        let host = self.asked.class.kind == SubjectKind::Host;
        match &section.subjects {
            Subjects::Endpoints(selector) if !host => {
                selector::of_labels(self.world, selector, &self.asked.class.labels)
            }
            _ => BTreeSet::new(),
        }
    }

    /// A section with those entries only that can match the key.
    fn shortened(&self, section: &Section) -> Section {
        let mut section = section.clone();
        let Asked { direction, key, .. } = *self.asked;
        section.entries.retain(|entry| entry.direction == direction && may_match(&entry.l4, key));
        section
    }

    fn each_section(&self) -> impl Iterator<Item = ((usize, usize), &Section)> {
        let policies = self.policies.iter().enumerate();
        policies.flat_map(|(p, policy)| policy.sections.iter().enumerate().map(move |(s, section)| ((p, s), section)))
    }

    fn each_entry(&self) -> impl Iterator<Item = ((usize, usize, usize), &Entry)> {
        self.each_section()
            .flat_map(|((p, s), section)| section.entries.iter().enumerate().map(move |(e, entry)| ((p, s, e), entry)))
    }

    fn doubt_sections(&mut self) {
        let unread = || BTreeSet::from([Missing::new(Fact::AgentConfig, "kube-system/cilium-config")]);
        let unsure = self.each_section().map(|((p, s), section)| {
            let mut unsure = self.unsure_of(section);
            if self.world.hangs_on_settings(&self.policies[p]) {
                unsure.extend(unread());
            }
            (What::About(p, s), unsure)
        });
        let doubts: Vec<Doubt> = unsure.map(|(what, missing)| Doubt { what, missing }).collect();
        self.doubts.extend(doubts.into_iter().filter(|doubt| !doubt.missing.is_empty()));
    }

    /// Clauses that are not evaluated make an allow match nothing and a deny match too much.
    fn doubt_clauses(&mut self) {
        let mut closed: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (p, policy) in self.policies.iter().enumerate() {
            let object = locate::object(self.world.db, &policy.object.to_string());
            let problems = object.map(|(_, object)| object.problems).unwrap_or_default();
            let paths = problems.into_iter().filter(|it| it.consequence == Consequence::Closed).map(|it| it.path);
            closed.insert(p, paths.collect());
        }
        let mut doubts = Vec::new();
        for ((p, s, e), entry) in self.each_entry() {
            if entry.l3 != L3::Nobody && entry.effect != Effect::Deny {
                continue;
            }
            let paths = closed.get(&p).into_iter().flatten().filter(|path| same_clause(path, &entry.path));
            let object = &self.policies[p].object;
            let open = paths.filter(|path| !(path.contains("Groups") && self.is_supplied(entry)));
            let missing: BTreeSet<Missing> =
                open.map(|path| Missing::new(fact_of(path), format!("{object} {path}"))).collect();
            if !missing.is_empty() {
                doubts.push(Doubt { what: What::Matches(p, s, e), missing });
            }
        }
        self.doubts.extend(doubts);
    }

    /// Whether the addresses of every group of a cloud that an entry names are known.
    fn is_supplied(&self, entry: &Entry) -> bool {
        let known = &self.world.cluster.cloud_groups;
        let L3::Any(peers) = &entry.l3 else { return false };
        peers.iter().all(|peer| match &peer.selector {
            PeerSelector::CloudGroup(group) => known.contains_key(group),
            _ => true,
        })
    }

    /// A port name has no number where the destination is not known, or where no pod was read that declares it.
    fn doubt_ports(&mut self) {
        let mut doubts: BTreeMap<String, Missing> = BTreeMap::new();
        if self.asked.direction == flow::Direction::Ingress {
            return;
        }
        for (_, entry) in self.each_entry() {
            let L4::Items(items) = &entry.l4 else { continue };
            for item in items {
                let Ports::Name { name, .. } = &item.ports else { continue };
                let known = self.world.peers.port_names().get(name, self.asked.key.protocol()).next().is_some();
                let missing = match &self.peer.nobody_knows {
                    Some(missing) if self.world.dialect.egress_port_names_per_destination => Some(missing.clone()),
                    _ if !known && !self.world.dialect.egress_port_names_per_destination => {
                        Some(Missing::new(Fact::NamedPort, name.as_str()))
                    }
                    _ => None,
                };
                doubts.extend(missing.map(|missing| (name.clone(), missing)));
            }
        }
        let doubt = |(name, missing)| Doubt { what: What::Named(name), missing: [missing].into() };
        self.doubts.extend(doubts.into_iter().map(doubt));
    }

    /// Services are replaced by what stands behind them before anybody is asked whom they select.
    fn doubt_services(&mut self) {
        let mut doubts: BTreeMap<PeerSelector, BTreeSet<Missing>> = BTreeMap::new();
        for (_, entry) in self.each_entry() {
            let L3::Any(peers) = &entry.l3 else { continue };
            for peer in peers {
                if matches!(peer.selector, PeerSelector::Services(_)) {
                    let missing = selector::doubt(self.world, &peer.selector, self.peer);
                    doubts.extend((!missing.is_empty()).then(|| (peer.selector.clone(), missing)));
                }
            }
        }
        let doubt = |(selector, missing)| Doubt { what: What::Selects(selector), missing };
        self.doubts.extend(doubts.into_iter().map(doubt));
    }

    fn doubt_selectors(&mut self) {
        let mut unsure: BTreeMap<PeerSelector, BTreeSet<Missing>> = BTreeMap::new();
        self.bind(&|_| true, &mut |selector| {
            let missing = selector::doubt(self.world, selector, self.peer);
            if !missing.is_empty() {
                unsure.insert(selector.clone(), missing);
            }
        });
        let doubt = |(selector, missing)| Doubt { what: What::Selects(selector), missing };
        self.doubts.extend(unsure.into_iter().map(doubt));
    }

    /// The answer under one assignment of the doubts.
    pub fn decide(&self, assigned: &dyn Fn(usize) -> bool) -> Answer {
        let bound = self.bind(assigned, &mut |_| {});
        let rules = lower::lower_direction(bound.direction(self.asked.direction));
        answer(oracle::decide(&rules, self.peer.number, self.asked.key).verdict)
    }

    fn bind(&self, assigned: &dyn Fn(usize) -> bool, asks: &mut dyn FnMut(&PeerSelector)) -> resolve::Bound {
        let World { peers, cluster, dialect, .. } = self.world;
        let set: BTreeMap<&What, bool> =
            self.doubts.iter().enumerate().map(|(at, doubt)| (&doubt.what, assigned(at))).collect();
        let policies: Vec<Policy> = (0..self.policies.len()).map(|at| self.assigned(at, &set)).collect();
        let mut memo: BTreeMap<PeerSelector, Peers> = BTreeMap::new();
        let only = |is: bool| Peers::Of(Arc::new(PeerSet::from_iter(is.then_some(self.peer.number))));
        let mut members = |selector: &PeerSelector, host| {
            asks(selector);
            match set.get(&What::Selects(selector.clone())) {
                Some(is) => only(*is),
                None => memo.entry(selector.clone()).or_insert_with(|| resolve::members(selector, host, peers)).clone(),
            }
        };
        let config = &cluster.config;
        self.world.asked(resolve::resolve_with(&policies, self.asked.class, peers, config, dialect, &mut members))
    }

    /// A policy with what is assigned: sections and entries in or out, port names with a number or with none.
    fn assigned(&self, at: usize, set: &BTreeMap<&What, bool>) -> Policy {
        let mut policy = self.policies[at].clone();
        let sections = std::mem::take(&mut policy.sections).into_iter().enumerate();
        policy.sections = sections
            .filter_map(|(s, mut section)| {
                match set.get(&What::About(at, s)) {
                    Some(true) => section.subjects = Subjects::Endpoints(Selector::default()),
                    Some(false) => return None,
                    None => {}
                }
                let entries = std::mem::take(&mut section.entries).into_iter().enumerate();
                section.entries = entries
                    .filter_map(|(e, mut entry)| {
                        match set.get(&What::Matches(at, s, e)) {
                            Some(true) => entry.l3 = L3::Unrestricted,
                            Some(false) => return None,
                            None => {}
                        }
                        self.name_ports(&mut entry, set);
                        open_services(&mut entry, set);
                        Some(entry)
                    })
                    .collect();
                Some(section)
            })
            .collect();
        policy
    }

    fn name_ports(&self, entry: &mut Entry, set: &BTreeMap<&What, bool>) {
        let L4::Items(items) = &mut entry.l4 else { return };
        let key = self.asked.key;
        for item in items {
            let Ports::Name { protocols, name } = &item.ports else { continue };
            let protocols: Vec<_> = protocols.iter().copied().filter(|it| *it == key.protocol()).collect();
            match set.get(&What::Named(name.clone())) {
                Some(true) => item.ports = Ports::Range { protocols, low: key.low(), high: key.low() },
                Some(false) => item.ports = Ports::Range { protocols: Vec::new(), low: 0, high: 0 },
                None => {}
            }
        }
    }
}

/// Puts everybody or nobody behind services of which it is not known what stands behind them.
fn open_services(entry: &mut Entry, set: &BTreeMap<&What, bool>) {
    let L3::Any(peers) = &mut entry.l3 else { return };
    for peer in peers.iter_mut().filter(|peer| matches!(peer.selector, PeerSelector::Services(_))) {
        match set.get(&What::Selects(peer.selector.clone())) {
            Some(true) => peer.selector = PeerSelector::Entity(Entity::All),
            Some(false) => peer.selector = PeerSelector::Entity(Entity::None),
            None => {}
        }
    }
}

/// Whether an entry's ports can hold a key; a port name may stand for any number.
fn may_match(l4: &L4, key: L4Key) -> bool {
    let L4::Items(items) = l4 else { return true };
    items.iter().any(|item| match &item.ports {
        Ports::Range { protocols, low, high } => {
            protocols.iter().any(|protocol| L4Set::ports(*protocol, *low, *high).contains(key))
        }
        Ports::Name { protocols, .. } => protocols.contains(&key.protocol()),
        Ports::Icmp(_) => matches!(key.protocol(), flow::Protocol::ICMP | flow::Protocol::ICMPV6),
    })
}

/// Whether a path in an object speaks of the rule that an entry came from; where both name one of its ports, of the same.
fn same_clause(path: &str, entry: &str) -> bool {
    let ports = |path: &str| path.find(".toPorts[").map(|at| up_to_bracket(path, at).to_owned());
    let rule = |path: &str| path.find("gress").map(|at| up_to_bracket(path, at).to_owned());
    rule(path).is_some()
        && rule(path) == rule(entry)
        && (ports(path).is_none() || ports(entry).is_none() || ports(path) == ports(entry))
}

/// A path up to the first `]` after a byte.
fn up_to_bracket(path: &str, from: usize) -> &str {
    path[from..].find(']').map_or(path, |at| &path[..=from + at])
}

/// Which kind of fact a clause that is not evaluated would need.
fn fact_of(path: &str) -> Fact {
    if path.contains("Groups") { Fact::CloudGroup } else { Fact::NotEvaluated }
}
