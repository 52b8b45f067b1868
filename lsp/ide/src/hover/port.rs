//! Who has a port, and which Services lead there.

use std::collections::BTreeMap;

use checks::{Candidate, Population};
use driver::Database;
use facts::service::TargetPort;
use flow::Direction;
use hir::{Entry, L3, L4, PeerSelector, Policy, PortItem, Ports, Section, Subjects};

use crate::here::Here;
use crate::selectors::is_within;

/// How many are named.
const SHOWN: usize = 5;

pub(super) fn said(db: &Database, here: &Here, policy: &Policy) -> Option<String> {
    let path = here.path_text();
    let (section, entry, item) = item(policy, &path)?;
    let population = Population::of(db);
    let far: Vec<&Candidate> = destinations(&population, section, entry);
    let has = |port: &facts::ContainerPort| match &item.ports {
        Ports::Name { name, .. } => port.name == *name,
        Ports::Range { low, high, .. } => (*low..=*high).contains(&port.port),
        Ports::Icmp(_) => false,
    };
    let mut numbers: BTreeMap<u16, Vec<&Candidate>> = BTreeMap::new();
    for pod in &far {
        for port in pod.pod.ports.iter().filter(|port| has(port)) {
            numbers.entry(port.port).or_default().push(pod);
        }
    }
    let mut lines: Vec<String> = numbers.iter().map(|(number, pods)| format!("- {number}: {}", names(pods))).collect();
    let is_meant = |number: u16| match &item.ports {
        // Whoever serves a port need not declare it.
        Ports::Range { low, high, .. } => (*low..=*high).contains(&number),
        _ => numbers.contains_key(&number),
    };
    lines.extend(services(&population, &far, is_meant));
    (!lines.is_empty()).then(|| format!("**who has it**\n\n{}", lines.join("\n")))
}

/// The port item whose `port` is at a path.
pub(crate) fn item<'p>(policy: &'p Policy, path: &str) -> Option<(&'p Section, &'p Entry, &'p PortItem)> {
    for section in &policy.sections {
        for entry in &section.entries {
            let L4::Items(items) = &entry.l4 else { continue };
            if let Some(item) = items.iter().find(|it| is_within(path, &it.path)) {
                return Some((section, entry, item));
            }
        }
    }
    None
}

/// The pods at the far end of a rule.
pub(crate) fn destinations<'p>(population: &'p Population, section: &Section, entry: &Entry) -> Vec<&'p Candidate> {
    match (entry.direction, &section.subjects, &entry.l3) {
        (Direction::Ingress, Subjects::Endpoints(selector), _) => population.matching(selector).collect(),
        (Direction::Egress, _, L3::Any(peers)) => {
            let selectors = peers.iter().filter_map(|peer| match &peer.selector {
                PeerSelector::Labels { selector, .. } => Some(selector),
                _ => None,
            });
            selectors.flat_map(|selector| population.matching(selector)).collect()
        }
        (Direction::Egress, _, L3::Unrestricted) => population.pods().collect(),
        _ => Vec::new(),
    }
}

fn names(pods: &[&Candidate]) -> String {
    let mut names: Vec<String> = pods.iter().map(|it| format!("`{}`", it.pod.name)).collect();
    names.dedup();
    let left = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// The Services whose ports lead to the numbers that are meant, of pods at the far end.
fn services(population: &Population, far: &[&Candidate], is_meant: impl Fn(u16) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for service in population.cluster.services.values().filter(|it| !it.selector.is_empty()) {
        let is_behind = |it: &&&Candidate| {
            let labels = &it.pod.labels;
            it.pod.name.namespace == service.name.namespace
                && service.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        let Some(pod) = far.iter().find(is_behind) else { continue };
        for port in &service.ports {
            let target = match &port.target {
                TargetPort::Number(number) => Some(*number),
                TargetPort::Name(name) => pod.pod.ports.iter().find(|it| it.name == *name).map(|it| it.port),
            };
            if target.is_some_and(&is_meant) {
                found.push(format!("- Service `{}`, port {}, leads there", service.name, port.port));
            }
        }
    }
    found
}
