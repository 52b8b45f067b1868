//! Binds the policies that select a class of subjects to the peers that there are.
//!
//! ```text
//!  sections that select the class ─► entries ─┬─ L3 ─members─► peers ─┐
//!                                             └─ L4 ─ports──► key set ┴─► BoundRule
//!  isolation of the sections, configuration ──────────────────────────► isolated_by
//! ```

mod asked;
mod conflicts;
mod members;
mod ports;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use facts::{Config, Enforcement};
use flow::{Auth, Direction, L4Set, PeerSet, Peers};

use crate::dialect::Dialect;
use crate::labels::{Operator, Requirement, Source};
use crate::peers::{HOST, HostId, PeerTable};
use crate::policy::{Effect, Entry, Isolation, L7, ObjectRef, Origin, PeerSelector, Policy, Section, Tier};
use crate::refusal::refusals;
use crate::subject::{Class, SubjectKind, selects};

use asked::asked;
pub use conflicts::{Conflict, ConflictKind};
pub use members::members;

/// Everything that holds for the subjects of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Towards them.
    pub ingress: BoundDirection,
    /// From them.
    pub egress: BoundDirection,
    /// Clauses that contradict each other. Where there are any nothing can be decided: both directions are closed, and what was in force
    /// before should stay.
    pub conflicts: BTreeSet<Conflict>,
}

impl Bound {
    /// One direction.
    pub fn direction(&self, direction: Direction) -> &BoundDirection {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// Everything that holds in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BoundDirection {
    /// The rules, sorted, without duplicates.
    pub rules: Vec<BoundRule>,
    /// What isolates the direction; empty when nothing does. Sorted, without duplicates.
    pub isolated_by: Vec<Origin>,
    /// Whether anything is in force: some policy has rules for the direction, even if they match nobody now, or it is isolated.
    pub in_force: bool,
    /// What the Normal tier leaves undecided is denied there when the direction is isolated; otherwise Baseline is asked first.
    pub normal_tier_is_final: bool,
    /// Nothing isolates the direction, so that rules for requests only observe. Audit mode does not make it so.
    pub requests_observed: bool,
    /// DNS names are judged only by allows of exactly the port that was asked.
    pub dns_rules_not_widened: bool,
}

impl BoundDirection {
    /// What holds for a subject that reaches itself through a service: the Normal tier never, the tiers of the cluster where the reading
    /// has it so.
    pub fn of_itself(&self, dialect: &Dialect) -> BoundDirection {
        let counts = |rule: &&BoundRule| dialect.hairpin_is_subject && rule.tier != Tier::Normal;
        let rules: Vec<BoundRule> = self.rules.iter().filter(counts).cloned().collect();
        BoundDirection { in_force: !rules.is_empty(), rules, isolated_by: Vec::new(), ..self.clone() }
    }
}

/// One rule whose peers and ports are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundRule {
    /// The tier.
    pub tier: Tier,
    /// The place in the tier, smaller first.
    pub order: u32,
    /// What it does.
    pub effect: Effect,
    /// Who is on the other side.
    pub peers: Peers,
    /// What selects them, in words that hold no peer number: rules with equal words name equal peers on one node.
    pub selector: String,
    /// Which protocols and ports; never empty. One port item where any allow of the direction carries authentication
    /// or goes to a proxy.
    pub l4: L4Set,
    /// Through a proxy that applies this.
    pub l7: Option<Arc<L7>>,
    /// Authentication that it asks for.
    pub auth: Option<Auth>,
    /// Where it was written.
    pub origin: Origin,
}

/// Answers whom a selector selects, given what `host` is. A memoising caller gives its own; [`members`] is the plain one.
pub type Members<'m> = dyn FnMut(&PeerSelector, HostId) -> Peers + 'm;

/// Binds all policies of a cluster to the subjects of one class; policies that do not select the class add nothing.
///
/// Never fails: what selects nobody now, or names an unknown port, is simply absent.
/// Cost: peers × selectors of the sections that select the class, less what is memoised within the call.
pub fn resolve<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    class: &Class,
    table: &PeerTable,
    config: &Config,
    dialect: &Dialect,
) -> Bound {
    let mut memo: BTreeMap<PeerSelector, Peers> = BTreeMap::new();
    resolve_with(policies, class, table, config, dialect, &mut |selector, host| {
        memo.entry(selector.clone()).or_insert_with(|| members(selector, host, table)).clone()
    })
}

/// [`resolve`] with a function that says whom a selector selects. `config` is that of the cluster; settings of the class go over it.
pub fn resolve_with<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    class: &Class,
    table: &PeerTable,
    config: &Config,
    dialect: &Dialect,
    members: &mut Members<'_>,
) -> Bound {
    let config = &*class.config(config);
    let mut selecting: Vec<(Arc<ObjectRef>, &Section)> = Vec::new();
    if config.enforcement != Enforcement::Never && (class.kind != SubjectKind::Host || config.host_firewall) {
        for policy in policies.into_iter().filter(|policy| refusals(policy, config, dialect).is_empty()) {
            let sections = policy.sections.iter().filter(|section| selects(section, class));
            let object = Arc::new(policy.object.clone());
            selecting.extend(sections.map(|section| (object.clone(), section)));
        }
    }
    let mut binder = Binder { selecting, class, table, config, dialect, members };
    let conflicts: BTreeSet<Conflict> = Direction::BOTH.into_iter().flat_map(|it| binder.conflicts(it)).collect();
    let (ingress, egress) = (binder.bind(Direction::Ingress), binder.bind(Direction::Egress));
    let mut bound = Bound { ingress, egress, conflicts };
    if !bound.conflicts.is_empty() {
        let by = bound.conflicts.iter().flat_map(|it| [it.first.clone(), it.second.clone()]);
        let by: BTreeSet<Origin> = by.collect();
        for direction in [&mut bound.ingress, &mut bound.egress] {
            direction.rules.clear();
            direction.isolated_by = by.iter().cloned().collect();
        }
    }
    bound
}

/// The origin of something that no policy says.
fn built_in(kind: &str, name: &str) -> Origin {
    let object = ObjectRef { kind: kind.to_owned(), namespace: String::new(), name: name.to_owned() };
    Origin { object: Arc::new(object), path: String::new() }
}

struct Binder<'a, 'm> {
    selecting: Vec<(Arc<ObjectRef>, &'a Section)>,
    class: &'a Class,
    table: &'a PeerTable,
    config: &'a Config,
    dialect: &'a Dialect,
    members: &'a mut Members<'m>,
}

impl Binder<'_, '_> {
    fn bind(&mut self, direction: Direction) -> BoundDirection {
        let isolated_by = self.isolated_by(direction);
        let mut rules = BTreeSet::new();
        let selecting = self.selecting.clone();
        let entries =
            || selecting.iter().flat_map(|(object, section)| section.entries.iter().map(move |entry| (object, entry)));
        // Why: which item of a rule matches counts for authentication, and for what rules of one port ask of requests.
        let by_item =
            entries().any(|(_, entry)| entry.direction == direction && (entry.auth.is_some() || entry.l7.is_some()));
        for (object, entry) in entries().filter(|(_, entry)| entry.direction == direction) {
            self.bind_entry(object, entry, by_item, &mut rules);
        }
        let own_node = match direction {
            Direction::Ingress => self.config.own_node_reaches_pods,
            Direction::Egress => self.dialect.own_node_always_reachable,
        };
        if own_node && !isolated_by.is_empty() && self.class.kind != SubjectKind::Host {
            rules.extend(self.own_node(&rules));
        }
        let says = |(_, section): &(Arc<ObjectRef>, &Section)| *section.isolation(direction) != Isolation::Absent;
        BoundDirection {
            rules: rules.into_iter().collect(),
            in_force: !isolated_by.is_empty() || selecting.iter().any(says),
            requests_observed: isolated_by.is_empty(),
            isolated_by,
            normal_tier_is_final: self.dialect.normal_tier_is_final,
            dns_rules_not_widened: self.dialect.dns_rules_not_widened,
        }
    }

    fn isolated_by(&self, direction: Direction) -> Vec<Origin> {
        let enforced = self.config.enforcement != Enforcement::Never;
        let mut isolated_by = BTreeSet::new();
        if enforced && self.config.enforcement == Enforcement::Always && self.class.kind != SubjectKind::Host {
            isolated_by.insert(built_in("configuration", "enforcement=always"));
        }
        if enforced && self.class.kind == SubjectKind::Init {
            isolated_by.insert(built_in("built-in", "init"));
        }
        for (object, section) in &self.selecting {
            let path = match section.isolation(direction) {
                Isolation::Isolates(path) => path,
                Isolation::Open if !self.config.open_policies => &section.path,
                Isolation::Open | Isolation::Absent => continue,
            };
            isolated_by.insert(Origin { object: object.clone(), path: path.clone() });
        }
        isolated_by.into_iter().collect()
    }

    /// The conditions that narrow label peers of entries like this one, over all sections that select the class.
    fn requires(&self, entry: &Entry) -> Vec<Requirement> {
        let of_denies = entry.effect == Effect::Deny;
        let all = self.selecting.iter().flat_map(|(_, section)| &section.requires);
        let mine = all.filter(|requires| requires.direction == entry.direction && requires.of_denies == of_denies);
        mine.flat_map(|requires| requires.selector.requirements().iter().cloned()).collect()
    }

    /// Whom an entry asks for, narrowed by what all sections require of its peers; `None` is everybody.
    fn selectors<'e>(&self, entry: &'e Entry) -> Vec<(Option<Cow<'e, PeerSelector>>, &'e str)> {
        let requires = self.requires(entry);
        let narrowed = |selector: Cow<'e, PeerSelector>| match &*selector {
            PeerSelector::Labels { selector, everywhere } if !requires.is_empty() => {
                let selector = selector.and(requires.iter().cloned());
                Cow::Owned(PeerSelector::Labels { selector, everywhere: *everywhere })
            }
            _ => selector,
        };
        let asked = asked(entry, self.table, self.dialect).into_iter();
        asked.map(|(selector, path)| (selector.map(narrowed), path)).collect()
    }

    fn bind_entry(&mut self, object: &Arc<ObjectRef>, entry: &Entry, by_item: bool, rules: &mut BTreeSet<BoundRule>) {
        let mut peers: Vec<(Peers, String, &str)> = Vec::new();
        for (selector, path) in self.selectors(entry) {
            let Some(selector) = selector else {
                peers.push((Peers::All, "all".to_owned(), path));
                continue;
            };
            let selected = (self.members)(&selector, self.class.host);
            let words = self.words(&selector, &selected);
            peers.push((selected, words, path));
        }
        let by_name = entry.direction == Direction::Egress && entry.l4.names_ports();
        for (peers, selector, path) in peers {
            for (peers, l4) in self.ports(entry, &peers, by_item) {
                let none = matches!(&peers, Peers::Of(set) if set.is_empty());
                if none || l4.is_empty() {
                    continue;
                }
                rules.insert(BoundRule {
                    tier: entry.tier,
                    order: entry.order,
                    effect: entry.effect,
                    peers,
                    // Why: a port name parts the peers by the number that it has on them.
                    selector: if by_name { format!("{selector} with ports {l4}") } else { selector.clone() },
                    l4,
                    l7: entry.l7.clone(),
                    auth: entry.auth,
                    origin: Origin { object: object.clone(), path: path.to_owned() },
                });
            }
        }
    }
}

/// A selector in words that no other selector has. Most are of labels, and each rule of each class carries its own.
fn in_short(selector: &PeerSelector) -> String {
    let PeerSelector::Labels { selector, everywhere } = selector else { return format!("{selector:?}") };
    let mut words = String::from(if *everywhere { "everywhere" } else { "labels" });
    for Requirement { source, key, operator } in selector.requirements() {
        words += &match (source, operator) {
            (Some(Source::K8s), Operator::In(values)) => format!(" {key:?}={values:?}"),
            _ => format!(" {source:?} {key:?} {operator:?}"),
        };
    }
    words
}

impl Binder<'_, '_> {
    /// The allow for the own node: what no rule denies it. Where nothing follows the Normal tier, denies of its level win anyway, and
    /// later ones are never asked.
    fn own_node(&self, rules: &BTreeSet<BoundRule>) -> Option<BoundRule> {
        let rule = own_node_rule();
        if self.dialect.localhost_beats_late_denies {
            let first = rules.iter().map(|rule| (rule.tier, rule.order)).min();
            let (tier, order) = first.unwrap_or((rule.tier, rule.order)).min((rule.tier, rule.order));
            return Some(BoundRule { tier, order, ..rule });
        }
        if self.dialect.normal_tier_is_final {
            return Some(rule);
        }
        let later = rules.iter().filter(|it| it.effect == Effect::Deny && it.peers.contains(HOST));
        let later = later.filter(|it| (it.tier, it.order) > (rule.tier, rule.order));
        let l4 = later.fold(rule.l4.clone(), |left, deny| left.intersect(&deny.l4.complement()));
        Some(BoundRule { l4, ..rule }).filter(|rule| !rule.l4.is_empty())
    }

    /// What selects these peers, so that equal words select equal peers: with what the words alone do not tell, the content of named
    /// sets of prefixes and what the own node is.
    fn words(&self, selector: &PeerSelector, selected: &Peers) -> String {
        let mut words = in_short(selector);
        match selector {
            PeerSelector::CidrGroup { name, .. } => words += &format!(" of {:?}", self.table.groups().get(name)),
            PeerSelector::CidrGroups { .. } => words += &format!(" of {:?}", self.table.groups()),
            _ => {}
        }
        if matches!(selected, Peers::Of(set) if set.contains(HOST)) {
            words += &format!(" on {:?}", self.table.hosts().get(self.class.host.0 as usize));
        }
        words
    }
}

/// A pod's own node reaches it unless a rule denies it. Source: the NetworkPolicy concept page; Cilium's `allow-localhost`.
fn own_node_rule() -> BoundRule {
    BoundRule {
        tier: Tier::Normal,
        order: 0,
        effect: Effect::Allow,
        peers: Peers::Of(Arc::new(PeerSet::from_iter([HOST]))),
        selector: "own node".to_owned(),
        l4: L4Set::all(),
        l7: None,
        auth: None,
        origin: built_in("built-in", "own-node"),
    }
}
