//! The flows that a rule is about, and which other rules decide them already.

use checks::Population;
use checks::suppress::Rules;
use driver::Database;
use flow::Direction;
use hir::{Effect, Entry, L3, L4, PeerSelector, Policy, Ports, Selector, Which};
use reason::party::entity_name;

use crate::cursor::{Step, spell};
use crate::diagnostics::diagnostics;
use crate::here::Here;
use crate::reshape::PEERS;
use crate::selectors::{self, is_within, selected};

pub(super) fn said(db: &Database, here: &Here, policy: &Policy) -> Option<String> {
    let path = match here.path.as_slice() {
        [rule @ .., Step::Key(key)] if PEERS.contains(&key.as_str()) => rule,
        rule => rule,
    };
    let Some(Step::Item(_)) = path.last() else { return None };
    let path = spell(path);
    let all = policy.sections.iter().flat_map(|section| &section.entries);
    let of_rule: Vec<&Entry> = all.filter(|it| is_within(&it.path, &path)).collect();
    let first = of_rule.first()?;
    let mut peers: Vec<String> = of_rule.iter().flat_map(|it| peers(db, &it.l3)).collect();
    peers.sort();
    peers.dedup();
    let mut ports: Vec<String> = of_rule.iter().flat_map(|it| ports(&it.l4)).collect();
    ports.dedup();
    let verb = match first.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
        Effect::Pass => "passes on",
    };
    let side = if first.direction == Direction::Ingress { "from" } else { "to" };
    let lines = peers.iter().map(|peer| format!("- {side} {peer}")).collect::<Vec<_>>().join("\n");
    let mut out = format!("**{verb} {}: {}**\n\n{lines}", first.direction, ports.join(", "));
    if of_rule.iter().any(|it| it.l7.is_some()) {
        out.push_str("\n\nA proxy decides each request.");
    }
    out.extend(surplus(db, here, &path).map(|it| format!("\n\n{it}")));
    Some(out)
}

/// What findings say of a rule that others decide already.
fn surplus(db: &Database, here: &Here, path: &str) -> Option<String> {
    let span = here.tree.span(here.tree.find(here.root, path)?);
    let all = diagnostics(db, here.file, &Rules::default());
    let is_here = |it: &&diag::Diagnostic| {
        (220..=225).contains(&it.code.0) && it.place().is_some_and(|label| span.covers(label.span))
    };
    let found = all.iter().find(is_here)?;
    Some(format!("{}: {}", found.code, found.headline))
}

/// The peers of a rule in words.
fn peers(db: &Database, l3: &L3) -> Vec<String> {
    let population = Population::of(db);
    match l3 {
        L3::Nobody => vec!["nobody".into()],
        L3::Unrestricted => vec!["everybody".into()],
        L3::Any(peers) => peers.iter().map(|peer| peer_words(&population, &peer.selector)).collect(),
    }
}

fn peer_words(population: &Population, peer: &PeerSelector) -> String {
    let listed = |all: &[flow::Prefix]| all.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let but = |all: &[flow::Prefix]| if all.is_empty() { String::new() } else { format!(" except {}", listed(all)) };
    match peer {
        PeerSelector::Labels { selector, .. } => {
            let (pods, workloads) = selected(population, selector);
            let count = selectors::count(pods.len(), workloads.len());
            format!("pods with {} ({count} now)", conditions(selector))
        }
        PeerSelector::Entity(entity) => format!("`{}`", entity_name(*entity)),
        PeerSelector::Cidr { prefix, except, .. } => format!("`{prefix}`{}", but(except)),
        PeerSelector::CidrGroup { name, except } => format!("blocks of `{name}`{}", but(except)),
        PeerSelector::CidrGroups { selector, except } => {
            format!("blocks of groups with {}{}", conditions(selector), but(except))
        }
        PeerSelector::Fqdn(name) => format!("addresses of `{name}`"),
        PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector) => {
            format!("nodes with {}", conditions(selector))
        }
        PeerSelector::Services(services) => {
            let namespace = services.namespace.as_ref().map_or(String::new(), |name| format!("{name}/"));
            match &services.which {
                Which::Named(name) => format!("what is behind service `{namespace}{name}`"),
                Which::Labelled(selector) => format!("what is behind services with {}", conditions(selector)),
            }
        }
        PeerSelector::CloudGroup(_) => "objects of a cloud".into(),
    }
}

fn conditions(selector: &Selector) -> String {
    let all: Vec<String> = selector.requirements().iter().map(|it| format!("`{}`", checks::condition(it))).collect();
    if all.is_empty() { "any labels".into() } else { all.join(", ") }
}

/// Ports in words.
pub(super) fn ports(l4: &L4) -> Vec<String> {
    let L4::Items(items) = l4 else { return vec!["every protocol and port".into()] };
    let of_item = |ports: &Ports| match ports {
        Ports::Range { protocols, low, high } => {
            let range = if low == high { low.to_string() } else { format!("{low}-{high}") };
            protocols.iter().map(|it| format!("{it}/{range}")).collect::<Vec<_>>().join(", ")
        }
        Ports::Name { protocols, name } => {
            protocols.iter().map(|it| format!("{it}/{name}")).collect::<Vec<_>>().join(", ")
        }
        Ports::Icmp(icmp) => icmp.kind.map_or("icmp".into(), |kind| format!("icmp type {kind}")),
    };
    items.iter().map(|item| of_item(&item.ports)).collect()
}
