//! Policies that cut a flow which the cluster itself lives on.

use std::collections::BTreeSet;

use diag::{Diagnostic, Severity};
use diagram::Limits;
use driver::meaning::slot;
use driver::Db;
use facts::service::TargetPort;
use facts::{Cluster, Name, Node, Service};
use flow::{Direction, L4Key, PeerId, Prefix, Protocol};
use hir::labels::NAMESPACE;
use hir::peers::{HOST, WORLD_V4, WORLD_V6};
use hir::subject::Subject;
use hir::{Isolation, Operator, PeerInfo, Requirement, Selector, Source, Subjects};
use rules::{Origin, RuleSet};

use crate::traces::{self, Trace};
use crate::{EssentialFlow, cover};
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Text;
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;

pub const PAGE: Page = page!(230, "lock-out", Error, "0.1.0", Correctness);

/// A flow that the cluster lives on.
struct Essential {
    /// Whose policies count, and in which namespace; nodes where it is empty.
    subjects: Subjects,
    namespace: String,
    direction: Direction,
    keys: Vec<L4Key>,
    /// Who must be there on the other side: any pod, or any machine: a node, the API server, an address outside.
    of_pods: bool,
    /// From where every machine must come through, for flows that people declare.
    from: Option<Vec<Prefix>>,
    level: Severity,
    headline: String,
    why: &'static str,
    help: &'static str,
}

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>, declared: &[EssentialFlow]) -> Vec<Diagnostic> {
    let mut all: Vec<Essential> = resolvers(finder).into_iter().chain(nodes()).collect();
    all.extend(webhooks(db, finder));
    all.extend(declared.iter().map(of_people));
    // Why: policies of the whole cluster may close it, and others that are not looked at.
    all.retain(|it| index.is_near(&it.namespace));
    let mut found: Vec<Diagnostic> = all.iter().filter_map(|it| check(db, finder, index, it)).collect();
    found.sort();
    found.dedup();
    found
}

const fn tcp(port: u16) -> L4Key {
    L4Key::new(Protocol::TCP, port)
}

/// The pods that answer DNS, where they are known.
fn resolvers(finder: &Finder) -> Option<Essential> {
    let label = |key: &str, value: &str| Requirement::k8s(key, Operator::In(vec![value.to_owned()]));
    let selector = Selector::new([label(NAMESPACE, "kube-system"), label("k8s-app", "kube-dns")]);
    finder.own(&selector).find(|it| !it.pod.host_network)?;
    Some(Essential {
        subjects: Subjects::Endpoints(selector),
        namespace: "kube-system".to_owned(),
        direction: Direction::Ingress,
        keys: vec![L4Key::new(Protocol::UDP, 53), tcp(53), L4Key::new(Protocol::UDP, 8053), tcp(8053)],
        of_pods: true,
        from: None,
        level: Severity::Warning,
        headline: "the pods that answer DNS are closed to every other pod".to_owned(),
        why: "no name of the cluster can be looked up by any pod then, whatever their own policies allow",
        help: "allow UDP and TCP 53 to the pods labelled `k8s-app=kube-dns`, or leave `kube-system` out of the policy",
    })
}

/// Nodes: whoever asks the kubelet, and the API server that the kubelet asks.
fn nodes() -> [Essential; 2] {
    let of = |direction, keys, headline: &str, why, help| Essential {
        subjects: Subjects::Nodes(Selector::default()),
        namespace: String::new(),
        direction,
        keys,
        of_pods: false,
        from: None,
        level: Severity::Error,
        headline: headline.to_owned(),
        why,
        help,
    };
    [
        of(
            Direction::Ingress,
            vec![tcp(10250)],
            "the kubelet of these nodes is closed to every other machine",
            "the API server asks it on TCP 10250: no logs, no exec, no metrics, and webhooks on the host network fail",
            "allow the entities `kube-apiserver` and `remote-node` on TCP 10250, and try the policy in audit mode first",
        ),
        of(
            Direction::Egress,
            vec![tcp(6443), tcp(443), tcp(8443)],
            "the API server is out of reach of these nodes",
            "the kubelet and the network agent cannot report, the node goes NotReady, and the policy cannot be taken back \
             from there",
            "allow the entity `kube-apiserver` on the port of the API server, and try the policy in audit mode first",
        ),
    ]
}

/// A flow that the configuration declares.
fn of_people(it: &EssentialFlow) -> Essential {
    let everywhere = || ["0.0.0.0/0", "::/0"].into_iter().filter_map(Prefix::parse).collect();
    Essential {
        subjects: Subjects::Nodes(Selector::default()),
        namespace: String::new(),
        direction: Direction::Ingress,
        keys: vec![it.key],
        of_pods: false,
        from: Some(it.from.map_or_else(everywhere, |prefix| vec![prefix])),
        level: Severity::Error,
        headline: format!("{} to these nodes is cut", quoted(&it.name)),
        why: "the configuration calls the flow essential",
        help: "allow it, or take it off `essential-flows`",
    }
}

/// The pods behind webhooks of the API server.
fn webhooks(db: &dyn Db, finder: &Finder) -> Vec<Essential> {
    let mut found = Vec::new();
    for file in traces::files(db, Trace::Webhook) {
        let text = Text::new(db, file);
        for spot in text.spots() {
            let kind = spot.object.object.kind.as_str();
            if !["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].contains(&kind) {
                continue;
            }
            for webhook in spot.items("webhooks") {
                let at = format!("{webhook}.clientConfig.service");
                let (Some(namespace), Some(name)) =
                    (spot.string(&format!("{at}.namespace")), spot.string(&format!("{at}.name")))
                else {
                    continue;
                };
                let port = spot.node(&format!("{at}.port")).map(|node| spot.tree().raw(node));
                let port = port.map_or(Some(443), |port| port.trim().parse().ok());
                let service = finder.cluster.services.get(&Name::new(namespace, name));
                if let (Some(service), Some(port)) = (service, port) {
                    found.extend(webhook_of(finder, service, port, kind));
                }
            }
        }
    }
    found
}

fn webhook_of(finder: &Finder, service: &Service, port: u16, kind: &str) -> Option<Essential> {
    if service.selector.is_empty() {
        return None;
    }
    let own = Requirement::k8s(NAMESPACE, Operator::In(vec![service.name.namespace.clone()]));
    let labels = service.selector.iter().map(|(key, value)| Requirement::k8s(key, Operator::In(vec![value.clone()])));
    let selector = Selector::new(labels.chain([own]));
    let port = service.ports.iter().find(|it| it.port == port && it.protocol == Protocol::TCP)?;
    let keys: Vec<L4Key> = match &port.target {
        TargetPort::Number(number) => vec![tcp(*number)],
        TargetPort::Name(name) => {
            let ports = finder.own(&selector).flat_map(|it| it.pod.ports.iter());
            ports.filter(|it| it.name == *name && it.protocol == Protocol::TCP).map(|it| tcp(it.port)).collect()
        }
    };
    let what = if kind.starts_with("Validating") { "a validating" } else { "a mutating" };
    (!keys.is_empty()).then(|| Essential {
        subjects: Subjects::Endpoints(selector),
        namespace: service.name.namespace.clone(),
        direction: Direction::Ingress,
        keys,
        of_pods: false,
        from: None,
        level: Severity::Warning,
        headline: format!("the pods behind {}, {what} webhook, are closed to the API server", quoted(&service.name.to_string())),
        why: "the API server calls the webhook from a node, which is no pod and which no selector of pods means: whatever it \
              has to decide is refused, or let through unseen",
        help: "allow the port of the webhook from the nodes: the addresses of the API server, or the entities `kube-apiserver` \
               and `remote-node`",
    })
}

fn check(db: &dyn Db, finder: &Finder, index: &Index<'_>, it: &Essential) -> Option<Diagnostic> {
    let suspects = suspects(index, it);
    if suspects.is_empty() {
        return None;
    }
    let nodes = matches!(it.subjects, Subjects::Nodes(_));
    let mut asked: Vec<&Selector> = Vec::new();
    if let Subjects::Endpoints(selector) = &it.subjects {
        asked.push(selector);
    }
    let prepare = |cluster: &mut Cluster| machines(cluster, index, &suspects, nodes);
    let trial = Trial::new(db, index, &suspects, finder, &asked, Some(&prepare));
    for (class, subjects, rules) in trial.classes() {
        let is_meant = match &it.subjects {
            Subjects::Endpoints(selector) => selector.matches(&class.labels),
            Subjects::Nodes(_) => matches!(subjects.first(), Some(Subject::Node(_))),
        };
        let Some(subject) = subjects.first().filter(|_| is_meant) else { continue };
        let rules = &rules[slot(it.direction)];
        let Some((peer, key)) = cut(&trial, rules, it) else { continue };
        let flow = trial.flow(subject, peer, it.direction, key);
        let by: Vec<&Origin> =
            oracle::decide(rules, peer, key).by.iter().filter_map(|id| rules.origin(*id)).collect();
        if nodes && it.from.is_none() && is_said_of_text(finder, index, &suspects, it.direction) {
            continue;
        }
        let places: Vec<_> = by.iter().filter_map(|origin| Some((*origin, place(db, origin)?))).collect();
        let (origin, (file, span)) = places.first()?;
        let mut said = PAGE.says_as(it.level, it.headline.clone()).blame(*file, *span, "closed here");
        for (_, (file, span)) in places.iter().skip(1).take(2) {
            said = said.note(*file, *span, "and here");
        }
        return Some(said.why(format!("{flow}, is dropped by {}; {}", quoted(&origin.object), it.why)).help(it.help));
    }
    None
}

/// Policies that may be about the subjects and that close something.
fn suspects(index: &Index<'_>, it: &Essential) -> BTreeSet<usize> {
    let about = |at: &usize| {
        let policy = index.policies[*at];
        let here = policy.object.namespace.is_empty() || policy.object.namespace == it.namespace;
        here && policy.sections.iter().any(|section| cover::may_share(&section.subjects, &it.subjects))
    };
    let found: BTreeSet<usize> = (0..index.policies.len()).filter(about).collect();
    let closes = |at: &usize| {
        let sections = &index.policies[*at].sections;
        sections.iter().any(|section| {
            matches!(section.isolation(it.direction), Isolation::Isolates(_))
                || section.entries.iter().any(|entry| entry.effect == hir::Effect::Deny)
        })
    };
    if found.iter().any(closes) { found } else { BTreeSet::new() }
}

/// Another node, and the API server outside; for host policies a node for each that they select.
fn machines(cluster: &mut Cluster, index: &Index<'_>, suspects: &BTreeSet<usize>, nodes: bool) {
    let address = |last: u8| std::net::IpAddr::from([240, 255, 255, last]);
    let other = Node { name: "any other node".to_owned(), ips: [address(1)].into(), ..Node::default() };
    cluster.nodes.insert(other.name.clone(), other);
    if cluster.kube_apiserver().is_empty() {
        cluster.config.kube_apiserver.insert(address(2));
    }
    if !nodes {
        return;
    }
    cluster.config.host_firewall = true;
    let sections = suspects.iter().flat_map(|at| &index.policies[*at].sections);
    for (number, section) in sections.enumerate() {
        let Subjects::Nodes(selector) = &section.subjects else { continue };
        let name = format!("selected by {selector}");
        let value = |it: &Requirement| match &it.operator {
            Operator::In(values) => values.first().cloned(),
            Operator::Exists => Some(String::new()),
            _ => None,
        };
        let labels = selector.requirements().iter().filter(|it| matches!(it.source, None | Some(Source::K8s)));
        let labels = labels.filter_map(|it| Some((it.key.clone(), value(it)?))).collect();
        let ips = [address(10 + (number % 200) as u8)].into();
        cluster.nodes.insert(name.clone(), Node { name, ips, labels, ..Node::default() });
    }
}

/// A flow of those, when none of them passes whoever is on the other side.
fn cut(trial: &Trial<'_, '_>, rules: &RuleSet, it: &Essential) -> Option<(PeerId, L4Key)> {
    let diagram = diagram::build(rules, trial.table().peers().count() as u32, &Limits::default()).ok()?;
    if let Some(from) = &it.from {
        let key = *it.keys.first()?;
        let mut parties = from.iter().flat_map(|prefix| parties(trial, *prefix));
        return parties.find(|peer| !diagram.eval(*peer, key).is_allowed()).map(|peer| (peer, key));
    }
    let is_machine = |peer: PeerId, info: &PeerInfo| {
        let reserved = |name: &str| info.key.labels.has_reserved(name);
        peer != HOST && (info.key.region.is_some() || reserved("remote-node") || reserved("kube-apiserver"))
    };
    let is_pod = |info: &PeerInfo| info.key.labels.get(Some(&Source::K8s), NAMESPACE).is_some();
    let wanted = |peer: PeerId, info: &PeerInfo| if it.of_pods { is_pod(info) } else { is_machine(peer, info) };
    let peers: Vec<PeerId> =
        trial.table().peers().filter(|(peer, info)| wanted(*peer, info)).map(|(peer, _)| peer).collect();
    // Why: an address outside may be that of a pod which is not known.
    let counts = |peer: &PeerId| if it.of_pods { *peer != HOST } else { peers.binary_search(peer).is_ok() };
    let all = trial.table().peers().map(|(peer, _)| peer).filter(counts).collect::<Vec<_>>();
    let open = all.iter().any(|peer| it.keys.iter().any(|key| diagram.eval(*peer, *key).is_allowed()));
    let first = peers.iter().find(|peer| ![WORLD_V4, WORLD_V6].contains(peer)).or(peers.first());
    if open { None } else { Some((*first?, *it.keys.first()?)) }
}

/// Whoever has an address of a prefix, outside the cluster.
fn parties(trial: &Trial<'_, '_>, prefix: Prefix) -> Vec<PeerId> {
    let regions = || trial.table().peers().filter_map(|(peer, info)| Some((peer, info.key.region?)));
    let mut found: Vec<PeerId> = regions().filter(|(_, it)| prefix.covers(*it)).map(|(peer, _)| peer).collect();
    let within: Vec<Prefix> = regions().map(|(_, it)| it).filter(|it| prefix.covers(*it)).collect();
    if !cover::is_used_up(prefix, &within) {
        let around = regions().filter(|(_, it)| it.covers(prefix)).max_by_key(|(_, it)| it.len());
        found.extend(around.map(|(peer, _)| peer));
    }
    found
}

/// Whether TG0179 says it of the text already: no rule is about machines at all.
fn is_said_of_text(finder: &Finder, index: &Index<'_>, suspects: &BTreeSet<usize>, direction: Direction) -> bool {
    let slot = usize::from(direction == Direction::Egress);
    let sections = suspects.iter().flat_map(|at| &index.policies[*at].sections);
    let nodes = sections.filter(|it| matches!(it.subjects, Subjects::Nodes(_)));
    let mut isolating = nodes.filter(|it| matches!(it.isolation(direction), Isolation::Isolates(_)));
    isolating.any(|it| !finder.others.near("", &it.subjects).any(|brief| brief.admits_nodes[slot]))
}
