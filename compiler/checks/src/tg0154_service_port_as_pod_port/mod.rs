//! A rule that names the port of a service instead of the port of its pods.

use std::collections::BTreeSet;

use diag::Diagnostic;
use facts::service::{ServicePort, TargetPort};
use facts::{Name, Service};
use flow::Direction;
use hir::labels::NAMESPACE;
use hir::{
    Effect, Entity, Entry, L3, L4, Operator, PeerSelector, PortItem, Ports, Requirement, Section, Selector, Subjects,
};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(154, "service-port-as-pod-port", Error, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if finder.cluster.services.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (section, entry) in spot.rules() {
        let L4::Items(items) = &entry.l4 else { continue };
        let services = services(finder, section, entry);
        for item in items {
            found.extend(services.iter().find_map(|service| check(spot, finder, section, entry, item, service)));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The services all of whose backends, and nothing else, the rule is about.
fn services<'f>(finder: &'f Finder, section: &Section, entry: &Entry) -> Vec<&'f Service> {
    match (entry.direction, &section.subjects, &entry.l3) {
        (Direction::Ingress, Subjects::Endpoints(selector), _) => of_selector(finder, selector),
        (Direction::Egress, _, L3::Any(peers)) => {
            let mut found: Vec<&Service> = Vec::new();
            for peer in peers {
                match &peer.selector {
                    PeerSelector::Labels { selector, everywhere: false } => found.extend(of_selector(finder, selector)),
                    PeerSelector::Entity(Entity::KubeApiserver) => {
                        found.extend(finder.cluster.services.get(&Name::new("default", "kubernetes")));
                    }
                    _ => return Vec::new(),
                }
            }
            found
        }
        _ => Vec::new(),
    }
}

fn of_selector<'f>(finder: &'f Finder, selector: &Selector) -> Vec<&'f Service> {
    let names = selector.requirements().iter().find_map(|it| match &it.operator {
        Operator::In(names) if it.key == NAMESPACE => Some(names.as_slice()),
        _ => None,
    });
    let [namespace] = names.unwrap_or_default() else { return Vec::new() };
    let from = Name::new(namespace.clone(), String::new());
    let here = finder.cluster.services.range(from..).take_while(|(name, _)| name.namespace == *namespace);
    let serves = |service: &&Service| {
        if service.selector.is_empty() {
            return false;
        }
        let wanted =
            service.selector.iter().map(|(key, value)| Requirement::k8s(key, Operator::In(vec![value.clone()])));
        let wanted = Selector::new(wanted.chain([Requirement::k8s(NAMESPACE, Operator::In(vec![namespace.clone()]))]));
        cover::implies(selector, &wanted)
    };
    here.map(|(_, service)| service).filter(serves).collect()
}

fn check(
    spot: &Spot<'_>,
    finder: &Finder,
    section: &Section,
    entry: &Entry,
    item: &PortItem,
    service: &Service,
) -> Option<Diagnostic> {
    let Ports::Range { protocols, low, high } = &item.ports else { return None };
    let asked = service.ports.iter().find(|it| low == high && it.port == *low && protocols.contains(&it.protocol))?;
    let targets = targets(finder, service, asked);
    let is_target = |it: &ServicePort| self::targets(finder, service, it).contains(low);
    if targets.is_empty()
        || targets.contains(low)
        || service.ports.iter().any(is_target)
        || listens(finder, service, *low)
    {
        return None;
    }
    let alike = |it: &&Entry| it.direction == entry.direction && it.effect == entry.effect;
    let named = |it: &Entry| targets.iter().any(|port| cover::has_port(&it.l4, asked.protocol, *port));
    if section.entries.iter().filter(alike).any(named) {
        return None;
    }
    Some(render(spot, entry, item, service, (*low, &targets)))
}

/// The numbers on pods that a port of a service leads to; empty when they are not known.
pub(crate) fn targets(finder: &Finder, service: &Service, port: &ServicePort) -> BTreeSet<u16> {
    match &port.target {
        TargetPort::Number(number) => BTreeSet::from([*number]),
        TargetPort::Name(name) => backends(finder, service)
            .flat_map(|pod| &pod.pod.ports)
            .filter(|it| it.name == *name && it.protocol == port.protocol)
            .map(|it| it.port)
            .collect(),
    }
}

/// Whether a backend says that it listens on a port.
pub(crate) fn listens(finder: &Finder, service: &Service, number: u16) -> bool {
    backends(finder, service).any(|pod| pod.pod.ports.iter().any(|it| it.port == number))
}

fn backends<'f>(finder: &'f Finder, service: &Service) -> impl Iterator<Item = &'f crate::find::Candidate> {
    let wanted = service.selector.iter().map(|(key, value)| Requirement::k8s(key, Operator::In(vec![value.clone()])));
    let here = Requirement::k8s(NAMESPACE, Operator::In(vec![service.name.namespace.clone()]));
    let selector = Selector::new(wanted.chain([here]));
    let found: Vec<_> = if service.selector.is_empty() { Vec::new() } else { finder.own(&selector).collect() };
    found.into_iter()
}

fn render(
    spot: &Spot<'_>,
    entry: &Entry,
    item: &PortItem,
    service: &Service,
    (port, targets): (u16, &BTreeSet<u16>),
) -> Diagnostic {
    let numbers: Vec<String> = targets.iter().map(u16::to_string).collect();
    let to = numbers.join(" or ");
    let name = quoted(&service.name.to_string());
    let path = format!("{}.port", item.path);
    let span = spot.value(&path);
    let headline = format!("port {port} is that of service {name}, whose pods listen on {to}");
    let said = spot.say(&PAGE, headline, span, format!("pods listen on {to}"));
    let said = said.why(match entry.effect {
        Effect::Deny => "policies see the port of the pod, after the service was translated: the rule denies nothing that comes this way",
        _ => "policies see the port of the pod, after the service was translated: the rule opens nothing that comes this way",
    });
    let said = said.help(format!("write the port of the pods, {to}"));
    match (spot.node(&path).filter(|node| spot.is_own_scalar(*node)), numbers.as_slice()) {
        (Some(node), [only]) => {
            let text = spot.tree().raw(node).replace(&port.to_string(), only);
            said.fix(replace(spot.text.id, span, text, format!("write `{only}`")))
        }
        _ => said,
    }
}
