//! Clauses that contradict each other for one subject.
//!
//! Two allows with the same peer selector and the same port item, in one level, are one entry of the subject's policy; what they add to it
//! must agree. Source: `mergePortProto` of Cilium's `pkg/policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow::{Auth, Direction, Family, Protocol};
use request::Rules;

use super::Binder;
use crate::labels::{CLUSTER, Operator, Requirement, Selector, Source};
use crate::policy::{Effect, Entity, Entry, L4, L7, ObjectRef, Origin, Parser, PeerSelector, Ports, Tier, TlsContext};

/// Two clauses that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conflict {
    /// Which way.
    pub direction: Direction,
    /// In what.
    pub kind: ConflictKind,
    /// One of them.
    pub first: Origin,
    /// The other; may be the same place when one clause contradicts itself.
    pub second: Origin,
}

/// In what two clauses contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConflictKind {
    /// They send the traffic to proxies of different families.
    Proxies,
    /// They send it to different listeners of one priority.
    Listeners,
    /// They ask for different authentication.
    Authentication,
    /// They give the proxy different certificates or authorities for one side of TLS.
    TlsContexts,
    /// One asks for names of TLS clients and the other for what is inside, and nobody ends TLS.
    ServerNames,
}

/// What makes two clauses meet: level, peers and port item.
type Meeting = (Tier, u32, Option<PeerSelector>, PortKey);

/// One port item of one protocol; `None` for everything.
type PortKey = Option<(Protocol, u16, u16, String)>;

/// One clause that meets others.
type Clause<'a> = (&'a Arc<ObjectRef>, &'a Entry);

impl Binder<'_, '_> {
    /// Every contradiction in a direction. Cost: nothing for subjects whose allows neither ask for a proxy nor for authentication.
    pub(super) fn conflicts(&self, direction: Direction) -> BTreeSet<Conflict> {
        let says = |entry: &Entry| entry.effect == Effect::Allow && (entry.l7.is_some() || entry.auth.is_some());
        let entries =
            self.selecting.iter().flat_map(|(object, section)| section.entries.iter().map(move |it| (object, it)));
        let saying: Vec<Clause<'_>> = entries.filter(|(_, it)| it.direction == direction && says(it)).collect();
        let mut meetings: BTreeMap<Meeting, Vec<Clause<'_>>> = BTreeMap::new();
        for (object, entry) in saying.iter().filter(|_| saying.len() > 1) {
            let selectors = self.selectors(entry).into_iter().flat_map(|(selector, _)| self.parts(selector.as_deref()));
            for selector in selectors {
                for key in keys(&entry.l4) {
                    let meeting = (entry.tier, entry.order, selector.clone(), key);
                    meetings.entry(meeting).or_default().push((object, entry));
                }
            }
        }
        let mut found = BTreeSet::new();
        for clauses in meetings.values().filter(|clauses| clauses.len() > 1) {
            let mut conflict = |kind: ConflictKind, first: Clause<'_>, second: Clause<'_>| {
                found.insert(Conflict { direction, kind, first: origin(first), second: origin(second) });
            };
            proxies(clauses, &mut conflict);
            authentication(clauses, &mut conflict);
            contexts(clauses, |l7| l7.terminating.as_ref(), &mut conflict);
            contexts(clauses, |l7| l7.originating.as_ref(), &mut conflict);
            server_names(clauses, &mut conflict);
        }
        found
    }

    /// The selectors that one stands for; `None` is everybody. Named groups are several selectors by reserved labels, and the prefix of a
    /// whole family is that family's world: they meet others of the same labels however those are written.
    fn parts(&self, selector: Option<&PeerSelector>) -> Vec<Option<PeerSelector>> {
        let reserved = |name: &str| {
            let operator = Operator::In(vec![String::new()]);
            let label = Requirement { source: Some(Source::Reserved), key: name.to_owned(), operator };
            Some(PeerSelector::Labels { selector: Selector::new([label]), everywhere: true })
        };
        let both = self.config.ipv4 && self.config.ipv6;
        match selector {
            None | Some(PeerSelector::Entity(Entity::All)) => vec![None],
            Some(PeerSelector::Entity(Entity::World)) => {
                ["world", "world-ipv4", "world-ipv6"].iter().map(|name| reserved(name)).collect()
            }
            Some(PeerSelector::Entity(Entity::Cluster)) => {
                let names = ["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"];
                let own = Operator::In(vec![self.table.cluster_name().to_owned()]);
                let pods = Selector::new([Requirement::k8s(CLUSTER, own)]);
                let pods = PeerSelector::Labels { selector: pods, everywhere: true };
                names.iter().map(|name| reserved(name)).chain([Some(pods)]).collect()
            }
            Some(PeerSelector::Entity(entity)) => {
                let named = Entity::ALL.iter().find(|(_, known)| known == entity);
                named.map(|(name, _)| reserved(name)).into_iter().collect()
            }
            Some(PeerSelector::Cidr { prefix, except, .. }) if prefix.len() == 0 && except.is_empty() => {
                vec![reserved(match prefix.family() {
                    _ if !both && self.dialect.world_without_family => "world",
                    Family::V4 => "world-ipv4",
                    Family::V6 => "world-ipv6",
                })]
            }
            Some(selector) => vec![Some(selector.clone())],
        }
    }
}

/// Meets the proxies of clauses in turn: each is taken in by what the ones before it came to, or contradicts it.
fn proxies<'a>(clauses: &[Clause<'a>], conflict: &mut dyn FnMut(ConflictKind, Clause<'a>, Clause<'a>)) {
    let mut held: Option<(Clause<'a>, &'a L7)> = None;
    for (clause, l7) in clauses.iter().filter_map(|clause| Some((*clause, clause.1.l7.as_deref()?))) {
        held = match held {
            None => Some((clause, l7)),
            Some((before, known)) => match (&known.parser, &l7.parser) {
                (Parser::Listener(one), Parser::Listener(other)) => {
                    if one != other && known.priority == l7.priority {
                        conflict(ConflictKind::Listeners, before, clause);
                    }
                    Some(if l7.priority < known.priority { (clause, l7) } else { (before, known) })
                }
                (one, other) if one == other || yields(other, one) => Some((before, known)),
                (one, other) if yields(one, other) => Some((clause, l7)),
                _ => {
                    conflict(ConflictKind::Proxies, before, clause);
                    Some((before, known))
                }
            },
        };
    }
}

/// Whether a proxy gives way to another: one that reads names of TLS clients only, to one that reads what is inside.
fn yields(parser: &Parser, to: &Parser) -> bool {
    *parser == Parser::Tls && !matches!(to, Parser::Dns | Parser::Listener(_))
}

fn authentication<'a>(clauses: &[Clause<'a>], conflict: &mut dyn FnMut(ConflictKind, Clause<'a>, Clause<'a>)) {
    let mut held: Option<(Clause<'a>, Auth)> = None;
    for (clause, auth) in clauses.iter().filter_map(|clause| Some((*clause, clause.1.auth?))) {
        match held {
            Some((before, known)) if known != auth => conflict(ConflictKind::Authentication, before, clause),
            Some(_) => {}
            None => held = Some((clause, auth)),
        }
    }
}

/// Meets one side of TLS: where two clauses state it they must say the same.
fn contexts<'a>(
    clauses: &[Clause<'a>],
    of: fn(&L7) -> Option<&TlsContext>,
    conflict: &mut dyn FnMut(ConflictKind, Clause<'a>, Clause<'a>),
) {
    let mut stated = clauses.iter().filter_map(|clause| Some((*clause, of(clause.1.l7.as_deref()?)?)));
    let Some((before, known)) = stated.next() else { return };
    for (clause, _) in stated.filter(|(_, context)| *context != known) {
        conflict(ConflictKind::TlsContexts, before, clause);
    }
}

/// Meets names of TLS clients with rules for what is inside.
fn server_names<'a>(clauses: &[Clause<'a>], conflict: &mut dyn FnMut(ConflictKind, Clause<'a>, Clause<'a>)) {
    let which =
        |wanted: fn(&L7) -> bool| clauses.iter().find(|clause| clause.1.l7.as_deref().is_some_and(wanted)).copied();
    let named = which(|l7| !l7.requests.server_names.is_empty());
    let inside = which(|l7| l7.requests.rules != Rules::Any);
    if let (Some(named), Some(inside), None) = (named, inside, which(|l7| l7.terminating.is_some())) {
        conflict(ConflictKind::ServerNames, named, inside);
    }
}

fn keys(l4: &L4) -> Vec<PortKey> {
    let L4::Items(items) = l4 else { return vec![None] };
    let mut keys = Vec::new();
    for item in items {
        match &item.ports {
            Ports::Range { protocols, low, high } => {
                keys.extend(protocols.iter().map(|protocol| Some((*protocol, *low, *high, String::new()))));
            }
            Ports::Name { protocols, name } => {
                keys.extend(protocols.iter().map(|protocol| Some((*protocol, 0, 0, name.clone()))));
            }
            Ports::Icmp(icmp) => {
                let protocol = match icmp.family {
                    Family::V4 => Protocol::ICMP,
                    Family::V6 => Protocol::ICMPV6,
                };
                let kind = icmp.kind.map(u16::from);
                keys.push(Some((protocol, kind.unwrap_or(0), kind.unwrap_or(u16::MAX), String::new())));
            }
        }
    }
    keys
}

fn origin((object, entry): Clause<'_>) -> Origin {
    Origin { object: object.clone(), path: entry.path.clone() }
}
