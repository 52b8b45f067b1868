//! Clauses that contradict each other for one subject.
//!
//! Two allows with the same peer selector and the same port item, in one level, are one entry of the subject's policy; what they add to it
//! must agree. Source: `mergePortProto` of Cilium's `pkg/policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow::{Auth, Direction, Family, Protocol};

use super::Binder;
use crate::policy::{Effect, Entry, L4, L7, ObjectRef, Origin, Parser, PeerSelector, Ports, Tier};

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
            for (selector, _) in self.selectors(entry) {
                for key in keys(&entry.l4) {
                    let meeting = (entry.tier, entry.order, selector.as_deref().cloned(), key);
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
        }
        found
    }
}

/// Meets the proxies of clauses in turn: each is taken in by what the ones before it came to, or contradicts it.
fn proxies<'a>(clauses: &[Clause<'a>], conflict: &mut dyn FnMut(ConflictKind, Clause<'a>, Clause<'a>)) {
    let mut held: Option<(Clause<'a>, &'a L7)> = None;
    for (clause, l7) in clauses.iter().filter_map(|clause| Some((*clause, clause.1.l7.as_ref()?))) {
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
