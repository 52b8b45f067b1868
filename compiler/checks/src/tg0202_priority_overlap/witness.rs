//! A connection that two rules are both about, of pods that exist or that could.

use std::collections::BTreeMap;
use std::net::IpAddr;

use flow::{Direction, Prefix, Protocol};
use hir::labels::{LabelSet, NAMESPACE, NAMESPACE_LABELS, Source};
use hir::{Entry, L3, L4, Operator, PeerSelector, PortItem, Ports, Section, Selector, Subjects};

use crate::find::Finder;
use crate::words::quoted;

/// How many existing pods of a selector are tried before one that could exist.
const TRIED: usize = 8;

/// One connection.
#[derive(Clone)]
pub(super) struct Witness {
    subject: End,
    peer: End,
    port: Port,
}

/// An end of it.
#[derive(Clone)]
enum End {
    /// A pod: its name if it exists, its labels, its addresses.
    Pod(Option<String>, LabelSet, Vec<IpAddr>),
    /// A node with these labels.
    Node(LabelSet),
    /// An address outside.
    Address(IpAddr),
}

/// What it goes to.
#[derive(Clone)]
enum Port {
    Number(Protocol, u16),
    Named(String),
}

/// Connections that both rules match, the most likely first; none where there can be none.
pub(super) fn witnesses(finder: &Finder, sections: [&Section; 2], rules: [&Entry; 2]) -> Vec<Witness> {
    let [Subjects::Endpoints(one), Subjects::Endpoints(other)] = sections.map(|section| &section.subjects) else {
        return Vec::new();
    };
    let Some(port) = common_port(&rules[0].l4, &rules[1].l4) else { return Vec::new() };
    let subjects = pods(finder, one, other);
    if subjects.is_empty() {
        return Vec::new();
    }
    let peers = common_peers(finder, &rules[0].l3, &rules[1].l3);
    let with = |subject: &End| peers.iter().map(|peer| Witness { subject: subject.clone(), peer: peer.clone(), port: port.clone() }).collect::<Vec<_>>();
    subjects.iter().flat_map(with).collect()
}

impl Witness {
    /// The rule of a section that decides it: the first that matches.
    pub fn decides<'s>(&self, section: &'s Section, direction: Direction) -> Option<&'s Entry> {
        let (Subjects::Endpoints(selector), End::Pod(_, labels, _)) = (&section.subjects, &self.subject) else {
            return None;
        };
        let mine = section.entries.iter().filter(|rule| rule.direction == direction && rule.l7.is_none());
        let matching = mine.filter(|rule| self.matches(rule));
        matching.min_by_key(|rule| rule.order).filter(|_| selector.matches(labels))
    }

    fn matches(&self, rule: &Entry) -> bool {
        let port = match &rule.l4 {
            L4::Unrestricted => true,
            L4::Items(items) => items.iter().any(|item| self.port.is_in(item)),
        };
        port && match &rule.l3 {
            L3::Unrestricted => true,
            L3::Nobody => false,
            L3::Any(peers) => peers.iter().any(|peer| self.peer.is_selected(&peer.selector)),
        }
    }

    /// The connection in words.
    pub fn words(&self, direction: Direction) -> String {
        let port = match &self.port {
            Port::Number(protocol, port) => format!("{port}/{protocol}"),
            Port::Named(name) => format!("port {}", quoted(name)),
        };
        let (subject, peer) = (self.subject.words(), self.peer.words());
        match direction {
            Direction::Egress => format!("a connection from {subject} to {peer}, {port}, is matched by both"),
            Direction::Ingress => format!("a connection from {peer} to {subject}, {port}, is matched by both"),
        }
    }
}

impl Port {
    fn is_in(&self, item: &PortItem) -> bool {
        match (self, &item.ports) {
            (Port::Number(protocol, port), Ports::Range { protocols, low, high }) => {
                protocols.contains(protocol) && (low..=high).contains(&port)
            }
            (Port::Named(name), Ports::Name { name: other, .. }) => name == other,
            _ => false,
        }
    }
}

impl End {
    fn is_selected(&self, selector: &PeerSelector) -> bool {
        let inside = |prefix: &Prefix, except: &[Prefix], address: IpAddr| {
            prefix.contains(address) && !except.iter().any(|out| out.contains(address))
        };
        match (self, selector) {
            (End::Pod(_, labels, _), PeerSelector::Labels { selector, .. }) => selector.matches(labels),
            (End::Pod(_, _, ips), PeerSelector::Cidr { prefix, except, matching: hir::Matching::Address }) => {
                ips.iter().any(|ip| inside(prefix, except, *ip))
            }
            (End::Address(address), PeerSelector::Cidr { prefix, except, .. }) => inside(prefix, except, *address),
            (End::Node(labels), PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector)) => {
                selector.matches(labels)
            }
            _ => false,
        }
    }

    fn words(&self) -> String {
        let listed = |labels: &LabelSet| {
            let mut words: Vec<String> = labels
                .iter()
                .map(|label| match label.key.strip_prefix(NAMESPACE_LABELS) {
                    Some(key) => format!("namespace label {}", quoted(&format!("{key}={}", label.value))),
                    None if label.key == NAMESPACE => format!("namespace {}", quoted(&label.value)),
                    None => quoted(&format!("{}={}", label.key, label.value)),
                })
                .collect();
            words.sort();
            if words.is_empty() { String::new() } else { format!(" with {}", words.join(", ")) }
        };
        match self {
            End::Pod(Some(name), ..) => format!("pod {}", quoted(name)),
            End::Pod(None, labels, _) => format!("any pod{}", listed(labels)),
            End::Node(labels) => format!("any node{}", listed(labels)),
            End::Address(address) => quoted(&address.to_string()),
        }
    }
}

/// Pods that two selectors both select: some that exist, then one that could.
fn pods(finder: &Finder, one: &Selector, other: &Selector) -> Vec<End> {
    let known = finder.matching(one).filter(|it| other.matches(&it.labels)).take(TRIED);
    let end = |name: Option<String>, labels: LabelSet, ips: Vec<IpAddr>| End::Pod(name, labels, ips);
    let known = known.map(|it| end(Some(it.pod.name.to_string()), it.labels.clone(), it.pod.own_ips().collect()));
    known.chain(together([one, other]).map(|labels| end(None, labels, Vec::new()))).collect()
}

fn common_peers(finder: &Finder, one: &L3, other: &L3) -> Vec<End> {
    let (L3::Any(ours), L3::Any(theirs)) = (one, other) else { return Vec::new() };
    let pairs = ours.iter().flat_map(|one| theirs.iter().map(move |other| (&one.selector, &other.selector)));
    pairs.flat_map(|(one, other)| common(finder, one, other)).collect()
}

fn common(finder: &Finder, one: &PeerSelector, other: &PeerSelector) -> Vec<End> {
    use PeerSelector::{Cidr, EveryNode, Labels, Nodes};
    match (one, other) {
        (Labels { selector: one, .. }, Labels { selector: other, .. }) => pods(finder, one, other),
        (Nodes(one) | EveryNode(one), Nodes(other) | EveryNode(other)) => {
            together([one, other]).map(End::Node).into_iter().collect()
        }
        (Cidr { prefix, .. }, Cidr { prefix: theirs, .. }) => {
            let (inner, other_block) = (if prefix.len() >= theirs.len() { prefix } else { theirs }, other);
            let ends = [inner.addr(), inner.last()].map(End::Address).into_iter();
            ends.filter(|end| end.is_selected(one) && end.is_selected(other_block)).collect()
        }
        (Labels { selector, .. }, Cidr { .. }) => of_both(finder, selector, other),
        (Cidr { .. }, Labels { selector, .. }) => of_both(finder, selector, one),
        _ => Vec::new(),
    }
}

/// Pods that exist, that a selector selects, and whose addresses a block holds.
fn of_both(finder: &Finder, selector: &Selector, block: &PeerSelector) -> Vec<End> {
    pods(finder, selector, selector).into_iter().filter(|end| end.is_selected(block)).collect()
}

fn common_port(one: &L4, other: &L4) -> Option<Port> {
    let first = |items: &[PortItem]| items.first().and_then(|item| port_of(&item.ports));
    match (one, other) {
        (L4::Unrestricted, L4::Unrestricted) => Some(Port::Number(Protocol::TCP, 80)),
        (L4::Unrestricted, L4::Items(items)) | (L4::Items(items), L4::Unrestricted) => first(items),
        (L4::Items(ours), L4::Items(theirs)) => {
            let mut pairs = ours.iter().flat_map(|one| theirs.iter().map(move |other| (&one.ports, &other.ports)));
            pairs.find_map(|(one, other)| meet(one, other))
        }
    }
}

fn port_of(ports: &Ports) -> Option<Port> {
    match ports {
        Ports::Range { protocols, low, .. } => Some(Port::Number(*protocols.first()?, *low)),
        Ports::Name { name, .. } => Some(Port::Named(name.clone())),
        Ports::Icmp(_) => None,
    }
}

fn meet(one: &Ports, other: &Ports) -> Option<Port> {
    match (one, other) {
        (Ports::Range { protocols, low, high }, Ports::Range { protocols: theirs, low: other, high: end }) => {
            let protocol = protocols.iter().find(|it| theirs.contains(it))?;
            let port = *low.max(other);
            (port <= *high.min(end)).then_some(Port::Number(*protocol, port))
        }
        (Ports::Name { name, .. }, Ports::Name { name: other, .. }) => (name == other).then(|| Port::Named(name.clone())),
        _ => None,
    }
}

/// Labels that meet all of some selectors; `None` when nothing can.
fn together(selectors: [&Selector; 2]) -> Option<LabelSet> {
    let name_label = [NAMESPACE_LABELS, "kubernetes.io/metadata.name"].concat();
    let mut conditions: BTreeMap<(Source, String), Vec<&Operator>> = BTreeMap::new();
    for requirement in selectors.iter().flat_map(|selector| selector.requirements()) {
        // Why: the name of a namespace stands in two labels that always agree.
        let key = if requirement.key == name_label { NAMESPACE.to_owned() } else { requirement.key.clone() };
        let source = requirement.source.clone().unwrap_or(Source::K8s);
        conditions.entry((source, key)).or_default().push(&requirement.operator);
    }
    let mut labels = LabelSet::default();
    for ((source, key), operators) in conditions {
        let Some(value) = value(&operators)? else { continue };
        if key == NAMESPACE {
            labels.insert(Source::K8s, &*name_label, &*value);
        }
        labels.insert(source, key, value);
    }
    Some(labels)
}

/// A value that meets all conditions on one label: `Some(None)` when it must not be there, `None` when nothing meets them.
fn value(operators: &[&Operator]) -> Option<Option<String>> {
    let allowed = |value: &str| {
        operators.iter().all(|it| match it {
            Operator::In(values) => values.iter().any(|it| it == value),
            Operator::NotIn(values) => values.iter().all(|it| it != value),
            Operator::Exists => true,
            Operator::DoesNotExist => false,
        })
    };
    let needed = operators.iter().any(|it| matches!(it, Operator::In(_) | Operator::Exists));
    if !needed {
        return Some(None);
    }
    let listed = operators.iter().find_map(|it| if let Operator::In(values) = it { Some(values.clone()) } else { None });
    // Some value among as many as there are exclusions plus one is free.
    let excluded: usize = operators.iter().map(|it| if let Operator::NotIn(out) = it { out.len() } else { 0 }).sum();
    let candidates = listed.unwrap_or_else(|| (0..=excluded).map(|at| format!("any{at}")).collect());
    candidates.into_iter().find(|value| allowed(value)).map(Some)
}
