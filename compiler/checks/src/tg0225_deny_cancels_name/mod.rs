//! A name whose addresses another rule denies, whichever policy that rule stands in.

use std::collections::BTreeSet;
use std::net::IpAddr;

use diag::Diagnostic;
use driver::Db;
use driver::meaning::slot;
use flow::{Direction, L4Key, PeerId, Prefix};
use hir::peers::name_matches;
use hir::{Effect, Entry, L3, Peer, PeerSelector, Policy, subject};
use rules::{Origin, RuleSet};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;

pub const PAGE: Page = page!(225, "deny-cancels-name", Warning, "0.1.0", Correctness);

/// An address of a name that is allowed, and the deny that takes it back.
struct Cancelled {
    flow: String,
    name: String,
    deny: Origin,
}

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>) -> Vec<Diagnostic> {
    if finder.cluster.dns.is_empty() {
        return Vec::new();
    }
    let denies: Vec<&Peer> = index.policies.iter().flat_map(|policy| denied(policy)).collect();
    // Why: diagrams are built of names that a deny may be about alone.
    let is_denied = |address: IpAddr| denies.iter().any(|peer| may_mean(peer, address));
    let is_suspect = |at: &usize| {
        names(index.policies[*at]).any(|(_, pattern)| {
            let mut known = finder.cluster.dns.iter().filter(|(name, _)| name_matches(pattern, name));
            known.any(|(_, all)| all.iter().any(|it| is_denied(*it)))
        })
    };
    let suspects: BTreeSet<usize> =
        if denies.is_empty() { BTreeSet::new() } else { (0..index.policies.len()).filter(is_suspect).collect() };
    if suspects.is_empty() {
        return Vec::new();
    }
    let trial = Trial::new(db, index, &suspects, finder, &[], None);
    let mut found = Vec::new();
    for at in suspects {
        let policy = index.policies[at];
        for (peer, pattern) in names(policy) {
            if let Some(it) = cancelled(&trial, finder, index, policy, (peer, pattern)) {
                found.extend(render(db, &policy.object.to_string(), peer, pattern, &it));
            }
        }
    }
    found
}

fn entries(policy: &Policy) -> impl Iterator<Item = &Entry> {
    let all = policy.sections.iter().flat_map(|section| &section.entries);
    all.filter(|entry| entry.direction == Direction::Egress)
}

/// The peers that a policy denies.
fn denied(policy: &Policy) -> impl Iterator<Item = &Peer> {
    entries(policy).filter(|entry| entry.effect == Effect::Deny).flat_map(|entry| {
        let peers: &[Peer] = if let L3::Any(peers) = &entry.l3 { peers } else { &[] };
        peers.iter()
    })
}

/// Whether a peer may mean an address outside the cluster, and the text does not say that it means all of them.
fn may_mean(peer: &Peer, address: IpAddr) -> bool {
    let address = Prefix::host(address);
    match &peer.selector {
        PeerSelector::Cidr { prefix, except, .. } => {
            prefix.covers(address) && !except.iter().any(|it| it.covers(address))
        }
        PeerSelector::CidrGroup { .. } | PeerSelector::CidrGroups { .. } | PeerSelector::CloudGroup(_) => true,
        _ => false,
    }
}

/// The names that a policy allows, each with its place.
fn names(policy: &Policy) -> impl Iterator<Item = (&Peer, &str)> {
    entries(policy).filter(|entry| entry.effect == Effect::Allow).flat_map(|entry| {
        let peers: &[Peer] = if let L3::Any(peers) = &entry.l3 { peers } else { &[] };
        peers.iter().filter_map(|peer| match &peer.selector {
            PeerSelector::Fqdn(pattern) => Some((peer, pattern.as_str())),
            _ => None,
        })
    })
}

/// The first address of a name that some pod of the policy may not reach, because of a deny that the text does not give away.
fn cancelled(
    trial: &Trial<'_, '_>,
    finder: &Finder,
    index: &Index<'_>,
    policy: &Policy,
    (peer, pattern): (&Peer, &str),
) -> Option<Cancelled> {
    let object = policy.object.to_string();
    let known = finder.cluster.dns.iter().filter(|(name, _)| name_matches(pattern, name));
    let known: Vec<_> = known.flat_map(|(name, all)| all.iter().map(move |address| (name, *address))).collect();
    for (class, subjects, rules) in trial.classes() {
        if !policy.sections.iter().any(|it| subject::selects(it, class)) {
            continue;
        }
        let (rules, subject) = (&rules[slot(Direction::Egress)], subjects.first()?);
        for (name, address) in &known {
            let party = trial.table().lookup(None, *address);
            let Some(key) = allowed_key(rules, &object, peer, party) else { continue };
            let decision = oracle::decide(rules, party, key);
            if decision.verdict.is_allowed() {
                continue;
            }
            let denies = |origin: &&Origin| deny(index, origin).is_some_and(|it| !is_plain(it, peer, origin, &object));
            let deny = decision.by.iter().filter_map(|id| rules.origin(*id)).find(denies);
            if let Some(deny) = deny {
                let flow = trial.flow(subject, party, Direction::Egress, key);
                let flow = format!("{flow}, meant for {} at {address}", quoted(name));
                return Some(Cancelled { flow, name: (*name).clone(), deny: deny.clone() });
            }
        }
    }
    None
}

/// A key that a name allows to a peer, as bound: 443 where it may be.
fn allowed_key(rules: &RuleSet, object: &str, name: &Peer, peer: PeerId) -> Option<L4Key> {
    let of_entry = |origin: &Origin| origin.object == object && origin.path == name.path;
    let mut own = rules.rules().filter(|it| rules.origin(it.origin).is_some_and(of_entry));
    let rule = own.find(|it| it.peers.contains(peer))?;
    let https = L4Key::new(flow::Protocol::TCP, 443);
    let first = || rule.l4.intervals().first().map(|(low, _)| *low);
    if rule.l4.contains(https) { Some(https) } else { first() }
}

/// The deny of an origin.
fn deny<'p>(index: &Index<'p>, origin: &Origin) -> Option<&'p Entry> {
    let at = (0..index.policies.len()).find(|at| index.object(*at) == origin.object)?;
    let sections = index.policies[at].sections.iter();
    let mut all = sections.flat_map(|section| &section.entries).filter(|it| it.effect == Effect::Deny);
    let names = |l3: &L3| matches!(l3, L3::Any(peers) if peers.iter().any(|it| it.path == origin.path));
    all.find(|it| it.direction == Direction::Egress && (it.path == origin.path || names(&it.l3)))
}

/// Whether the text gives it away: then TG0170, TG0221 or TG0223 say it.
fn is_plain(deny: &Entry, peer: &Peer, origin: &Origin, object: &str) -> bool {
    let everything = |it: &Peer| matches!(&it.selector, PeerSelector::Cidr { prefix, .. } if prefix.len() == 0);
    let zero = matches!(&deny.l3, L3::Any(peers) if peers.iter().any(everything));
    cover::l3(&deny.l3, &L3::Any(vec![peer.clone()])) || (origin.object == object && zero)
}

fn render(db: &dyn Db, object: &str, peer: &Peer, pattern: &str, it: &Cancelled) -> Option<Diagnostic> {
    let (file, span) = place(db, &Origin { object: object.to_owned(), path: peer.path.clone() })?;
    let headline = match it.deny.object == object {
        true => format!("{} is allowed by name, and {} denies an address of it", quoted(pattern), quoted(&it.deny.path)),
        false => format!("{} is allowed by name, and {} denies an address of it", quoted(pattern), quoted(&it.deny.object)),
    };
    let mut said = PAGE.says(headline).blame(file, span, format!("{} is out of reach", quoted(&it.name)));
    if let Some((file, span)) = place(db, &it.deny) {
        said = said.note(file, span, "denied here");
    }
    let why = format!("{}, is dropped by {}: a deny wins over every allow, and a name is its addresses", it.flow, quoted(&it.deny.path));
    Some(said.why(why).help("leave the address out of the deny with `except`, or give up the name"))
}
