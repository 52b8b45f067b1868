//! A port name that no pod has that it could be a port of.

use diag::Diagnostic;
use flow::{Direction, Protocol};
use hir::{Entry, L3, L4, PeerSelector, PortItem, Ports, Section, Selector, Subjects};

use crate::find::{Candidate, Finder};
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{nearest, quoted, replace};

pub const PAGE: Page = page!(49, "dangling-port-name", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let Some(policy) = &spot.policy else { return Vec::new() };
    let entries = policy.sections.iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
    entries.flat_map(|(section, entry)| of_entry(spot, finder, section, entry)).collect()
}

fn of_entry(spot: &Spot<'_>, finder: &Finder, section: &Section, entry: &Entry) -> Vec<Diagnostic> {
    let L4::Items(items) = &entry.l4 else { return Vec::new() };
    if !items.iter().any(|item| matches!(item.ports, Ports::Name { .. })) {
        return Vec::new();
    }
    let Some(pods) = destinations(finder, section, entry).filter(|pods| !pods.is_empty()) else { return Vec::new() };
    items.iter().filter_map(|item| of_item(spot, finder, entry.direction, item, &pods)).collect()
}

fn of_item(
    spot: &Spot<'_>,
    finder: &Finder,
    direction: Direction,
    item: &PortItem,
    pods: &[&Candidate],
) -> Option<Diagnostic> {
    let Ports::Name { protocols, name } = &item.ports else { return None };
    let has =
        |pod: &Candidate| pod.pod.ports.iter().any(|port| port.name == *name && protocols.contains(&port.protocol));
    // Why: without look-up for each destination, the number that the name has on any pod is taken.
    let anywhere = direction == Direction::Egress && !finder.dialect.egress_port_names_per_destination;
    if pods.iter().any(|pod| has(pod)) || (anywhere && finder.pods().any(has)) {
        return None;
    }
    let whose = match direction {
        Direction::Ingress => "that the policy is about",
        Direction::Egress => "that the rule may reach",
    };
    let what = match protocols.as_slice() {
        [one] => format!("{} port", one.to_string().to_uppercase()),
        _ => "port".to_owned(),
    };
    let said = PAGE.says(format!("no pod {whose} has a {what} named {}", quoted(name)));
    let path = format!("{}.port", item.path);
    let span = spot.value(&path);
    let said = spot.blame(said, span, "no pod has this name");
    let said = said.why("a port name that no pod has matches nothing, so the rule lets nothing through here");
    Some(advise(spot, said, name, protocols, pods, &path))
}

fn advise(
    spot: &Spot<'_>,
    said: Diagnostic,
    name: &str,
    protocols: &[Protocol],
    pods: &[&Candidate],
    path: &str,
) -> Diagnostic {
    let ports: Vec<_> = pods.iter().flat_map(|pod| &pod.pod.ports).collect();
    if let Some(other) = ports.iter().find(|port| port.name == name) {
        return said.help(format!(
            "the port of this name is {}; say so with `protocol`",
            other.protocol.to_string().to_uppercase()
        ));
    }
    let mut names: Vec<&str> =
        ports.iter().filter(|port| protocols.contains(&port.protocol)).map(|port| port.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let span = spot.value(path);
    let is_own = spot.node(path).is_some_and(|node| spot.is_own_scalar(node));
    match nearest(name, names.iter().copied()).filter(|_| is_own) {
        Some(near) => {
            let said = said.help(format!("did you mean {}?", quoted(near)));
            said.fix(replace(spot.text.id, span, near, format!("write `{near}`")))
        }
        None => said.help("name the port in the pod's `containerPort`s, or write its number"),
    }
}

/// The pods whose ports an entry is about, where all of them are known.
fn destinations<'f>(finder: &'f Finder, section: &'f Section, entry: &'f Entry) -> Option<Vec<&'f Candidate>> {
    let of = |selector: &'f Selector| finder.known(selector).map(|_| finder.own(selector).collect::<Vec<_>>());
    match (entry.direction, &section.subjects, &entry.l3) {
        (Direction::Ingress, Subjects::Endpoints(selector), _) => of(selector),
        (Direction::Ingress, Subjects::Nodes(_), _) | (Direction::Egress, _, L3::Nobody) => None,
        (Direction::Egress, _, L3::Unrestricted) => Some(finder.everything()?.pods().collect()),
        (Direction::Egress, _, L3::Any(peers)) => {
            let pods = peers.iter().map(|peer| match &peer.selector {
                PeerSelector::Labels { selector, everywhere: false } => of(selector),
                _ => None,
            });
            pods.collect::<Option<Vec<_>>>().map(|pods| pods.into_iter().flatten().collect())
        }
    }
}
