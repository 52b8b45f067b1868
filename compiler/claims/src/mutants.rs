//! Small changes of a policy that a good test notices.
//!
//! A mutant is made of the policy as it was decoded, so that every kind has the same ones and each is a policy that could have been
//! written.

use flow::Direction;
use hir::labels::{self, Requirement, Selector};
use hir::policy::{Effect, Entry, Isolation, L3, L4, Peer, PeerSelector, Policy, PortItem, Ports, Section, Subjects};

/// A policy with one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The policy as it would be.
    pub policy: Policy,
    /// Where the change is, in the object.
    pub path: String,
    /// What the change is, for example `denies instead of allows`.
    pub what: String,
}

/// Every mutant of a policy, in the order of its text.
pub fn mutants(policy: &Policy) -> Vec<Mutant> {
    let mut out = Vec::new();
    for (at, section) in policy.sections.iter().enumerate() {
        let mut add = |path: &str, what: String, changed: Section| {
            let mut policy = policy.clone();
            policy.sections[at] = changed;
            out.push(Mutant { policy, path: path.to_owned(), what });
        };
        of_section(section, &mut add);
        for (number, entry) in section.entries.iter().enumerate() {
            let mut dropped = section.clone();
            dropped.entries.remove(number);
            add(&entry.path, "the rule is left out".to_owned(), dropped);
            of_entry(entry, &mut |path, what, changed| {
                let mut section = section.clone();
                section.entries[number] = changed;
                add(path, what, section);
            });
        }
    }
    out.sort_by(|a, b| (&a.path, &a.what).cmp(&(&b.path, &b.what)));
    out.dedup_by(|a, b| a.policy == b.policy);
    out
}

fn of_section(section: &Section, add: &mut dyn FnMut(&str, String, Section)) {
    for direction in Direction::BOTH {
        let Isolation::Isolates(path) = section.isolation(direction) else { continue };
        let mut open = section.clone();
        *match direction {
            Direction::Ingress => &mut open.ingress,
            Direction::Egress => &mut open.egress,
        } = Isolation::Open;
        add(path, format!("{direction} is not denied by default"), open);
    }
    let (Subjects::Endpoints(selector) | Subjects::Nodes(selector)) = &section.subjects;
    for (without, what) in wider(selector) {
        // A policy of a namespace can select no pods of another.
        if what.key == labels::NAMESPACE {
            continue;
        }
        let mut changed = section.clone();
        changed.subjects = match &section.subjects {
            Subjects::Endpoints(_) => Subjects::Endpoints(without),
            Subjects::Nodes(_) => Subjects::Nodes(without),
        };
        add(&section.path, format!("it is about all without regard to `{}`", name_of(&what)), changed);
    }
}

type Add<'a> = &'a mut dyn FnMut(&str, String, Entry);

fn of_entry(entry: &Entry, add: Add<'_>) {
    let mut flipped = entry.clone();
    let what = match entry.effect {
        Effect::Allow => {
            (flipped.effect, flipped.l7, flipped.auth) = (Effect::Deny, None, None);
            "it denies instead of allows"
        }
        Effect::Deny => {
            flipped.effect = Effect::Allow;
            "it allows instead of denies"
        }
        Effect::Pass => {
            flipped.effect = Effect::Deny;
            "it denies instead of passes"
        }
    };
    add(&entry.path, what.to_owned(), flipped);
    if entry.l7.is_some() {
        add(&entry.path, "its requests are not looked at".to_owned(), Entry { l7: None, ..entry.clone() });
    }
    of_ports(entry, add);
    let L3::Any(peers) = &entry.l3 else { return };
    for (at, peer) in peers.iter().enumerate() {
        if peers.len() > 1 {
            let mut fewer = peers.clone();
            fewer.remove(at);
            add(&peer.path, "the peer is left out".to_owned(), Entry { l3: L3::Any(fewer), ..entry.clone() });
        }
        for (selector, what) in of_selector(&peer.selector) {
            let mut changed = peers.clone();
            changed[at] = Peer { selector, path: peer.path.clone() };
            add(&peer.path, what, Entry { l3: L3::Any(changed), ..entry.clone() });
        }
    }
}

fn of_ports(entry: &Entry, add: Add<'_>) {
    let L4::Items(items) = &entry.l4 else { return };
    for (at, item) in items.iter().enumerate() {
        let mut with = |ports: Option<Ports>, what: String| {
            let mut items = items.clone();
            match ports {
                Some(ports) => items[at] = PortItem { ports, path: item.path.clone() },
                None => drop(items.remove(at)),
            }
            add(&item.path, what, Entry { l4: L4::Items(items), ..entry.clone() });
        };
        if items.len() > 1 {
            with(None, "the port is left out".to_owned());
        }
        let Ports::Range { protocols, low, high } = &item.ports else { continue };
        let range = |low: u16, high: u16| Some(Ports::Range { protocols: protocols.clone(), low, high });
        if *high < u16::MAX {
            with(range(*low, high + 1), format!("port {} is let in too", high + 1));
        }
        if low < high {
            with(range(*low, high - 1), format!("port {high} is left out"));
        }
    }
    add(&entry.path, "every port counts".to_owned(), Entry { l4: L4::Unrestricted, ..entry.clone() });
}

fn of_selector(selector: &PeerSelector) -> Vec<(PeerSelector, String)> {
    let without = |except: &[flow::Prefix], at: usize| {
        let mut except = except.to_vec();
        let gone = except.remove(at);
        (except, format!("`except` {gone} is left out"))
    };
    match selector {
        PeerSelector::Labels { selector, everywhere } => {
            let mutant = |(selector, what): (Selector, Requirement)| {
                let what = format!("`{}` of its peer does not count", name_of(&what));
                (PeerSelector::Labels { selector, everywhere: *everywhere }, what)
            };
            wider(selector).into_iter().map(mutant).collect()
        }
        PeerSelector::Cidr { prefix, except, matching } => {
            let mutant = |at| {
                let (except, what) = without(except, at);
                (PeerSelector::Cidr { prefix: *prefix, except, matching: *matching }, what)
            };
            (0..except.len()).map(mutant).collect()
        }
        PeerSelector::CidrGroup { name, except } => {
            let mutant = |at| {
                let (except, what) = without(except, at);
                (PeerSelector::CidrGroup { name: name.clone(), except }, what)
            };
            (0..except.len()).map(mutant).collect()
        }
        PeerSelector::CidrGroups { selector, except } => {
            let mutant = |at| {
                let (except, what) = without(except, at);
                (PeerSelector::CidrGroups { selector: selector.clone(), except }, what)
            };
            (0..except.len()).map(mutant).collect()
        }
        _ => Vec::new(),
    }
}

/// A selector without each of its conditions in turn.
fn wider(selector: &Selector) -> Vec<(Selector, Requirement)> {
    let all = selector.requirements();
    let without = |at: usize| {
        let left = all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| it.clone());
        (Selector::new(left), all[at].clone())
    };
    (0..all.len()).map(without).collect()
}

/// The label of a condition as people write it.
fn name_of(requirement: &Requirement) -> String {
    match requirement.key.strip_prefix(labels::NAMESPACE_LABELS) {
        Some(label) => format!("namespace label {label}"),
        None if requirement.key == labels::NAMESPACE => "namespace".to_owned(),
        None => requirement.key.clone(),
    }
}
