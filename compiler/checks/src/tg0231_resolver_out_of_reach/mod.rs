//! A rule for DNS that reaches none of the pods that answer it.

use std::collections::BTreeSet;

use diag::Diagnostic;
use diagram::{Diagram, Limits};
use driver::Db;
use driver::meaning::slot;
use flow::{Direction, L4Key, PeerId, Protocol};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::peers::HOST;
use hir::{Entity, Entry, Isolation, L3, LabelSet, Operator, PeerInfo, PeerSelector, Requirement, Section, Selector, Subjects};
use rules::{Effect, Origin, Rule, RuleSet};

use crate::cover;
use crate::find::{Finder, is_name};
use crate::page::{Page, page};
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;

pub const PAGE: Page = page!(231, "resolver-out-of-reach", Warning, "0.1.0", Correctness);

/// Where resolvers are asked: 53, and the ports that their containers listen on where a service translates.
const ASKED: [u16; 3] = [53, 5353, 8053];

const QUERY: L4Key = L4Key::new(Protocol::UDP, 53);

/// Selects the pods that answer DNS.
pub(crate) fn resolvers() -> Selector {
    let label = |key: &str, values: &[&str]| {
        Requirement::k8s(key, Operator::In(values.iter().map(|it| (*it).to_owned()).collect()))
    };
    Selector::new([label(NAMESPACE, &["kube-system"]), label("k8s-app", &["kube-dns", "coredns"])])
}

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>) -> Vec<Diagnostic> {
    let selector = resolvers();
    let Some(resolver) = finder.own(&selector).find(|it| !it.pod.host_network) else { return Vec::new() };
    let suspects: BTreeSet<usize> = (0..index.policies.len()).filter(|at| is_about_dns(index, *at)).collect();
    let (unreadable, suspects): (BTreeSet<usize>, BTreeSet<usize>) =
        suspects.into_iter().partition(|at| !is_readable(finder, index, *at));
    // Why: diagrams are built of what the text leaves open alone.
    let reaches = |at: &usize| sections(index, *at).flat_map(|it| &it.entries).any(|it| reaches(it, &resolver.labels));
    let suspects: BTreeSet<usize> = suspects.into_iter().filter(|at| !reaches(at)).collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let trial = Trial::new(db, index, &suspects, finder, &[&selector], None);
    let mut found: Vec<Diagnostic> = Vec::new();
    for (class, subjects, rules) in trial.classes() {
        let rules = &rules[slot(Direction::Egress)];
        let is_unreadable = |at: &usize| sections(index, *at).any(|it| hir::subject::selects(it, class));
        if selector.matches(&class.labels) || unreadable.iter().any(is_unreadable) {
            continue;
        }
        let Some(subject) = subjects.first() else { continue };
        let Some(rule) = rules.rules().find(|it| is_for_dns(it)) else { continue };
        let Some(asked) = out_of_reach(&trial, finder, &selector, rules) else { continue };
        let Some(origin) = rules.origin(rule.origin) else { continue };
        let flow = trial.flow(subject, asked, Direction::Egress, QUERY);
        let by = oracle::decide(rules, asked, QUERY).by;
        let by = by.first().and_then(|id| rules.origin(*id)).map(|it| format!(" by {}", quoted(&it.object)));
        found.extend(render(db, origin, &flow, &by.unwrap_or_default()));
    }
    found.sort_by(|a, b| a.labels.cmp(&b.labels).then_with(|| a.cmp(b)));
    // Why: one rule may be that of many pods.
    found.dedup_by(|a, b| a.labels == b.labels);
    found
}

fn sections<'i>(index: &'i Index<'_>, at: usize) -> impl Iterator<Item = &'i Section> {
    index.policies[at].sections.iter()
}

/// Whether an entry for DNS surely means a resolver of these labels.
fn reaches(entry: &Entry, resolver: &LabelSet) -> bool {
    let means = |peer: &PeerSelector| match peer {
        PeerSelector::Labels { selector, .. } => selector.matches(resolver),
        PeerSelector::Entity(entity) => matches!(entity, Entity::All | Entity::Cluster),
        _ => false,
    };
    let peers = |l3: &L3| match l3 {
        L3::Any(peers) => peers.iter().any(|it| means(&it.selector)),
        L3::Unrestricted => true,
        L3::Nobody => false,
    };
    is_entry_for_dns(entry) && peers(&entry.l3)
}

/// Whether a policy isolates egress of pods and lets some of them ask for names, as far as its text goes.
fn is_about_dns(index: &Index<'_>, at: usize) -> bool {
    sections(index, at).any(|section| {
        matches!((&section.subjects, &section.egress), (Subjects::Endpoints(_), Isolation::Isolates(_)))
            && section.entries.iter().any(is_entry_for_dns)
    })
}

fn is_entry_for_dns(entry: &Entry) -> bool {
    entry.direction == Direction::Egress
        && entry.effect == hir::Effect::Allow
        && entry.l4 != hir::L4::Unrestricted
        && cover::has_port(&entry.l4, Protocol::UDP, 53)
}

/// Whether the facts tell whom the rules for DNS mean.
fn is_readable(finder: &Finder, index: &Index<'_>, at: usize) -> bool {
    let has_namespace = finder.cluster.namespaces.contains_key("kube-system");
    let entries = sections(index, at).flat_map(|section| &section.entries);
    entries.filter(|entry| is_entry_for_dns(entry)).all(|entry| match &entry.l3 {
        L3::Any(peers) => peers.iter().all(|peer| match &peer.selector {
            PeerSelector::Labels { selector, .. } => {
                let of_namespace = |it: &Requirement| it.key.starts_with(NAMESPACE_LABELS) && !is_name(it);
                has_namespace || !selector.requirements().iter().any(of_namespace)
            }
            PeerSelector::Cidr { .. } | PeerSelector::Entity(_) | PeerSelector::Services(_) => true,
            _ => false,
        }),
        _ => true,
    })
}

/// Whether a rule lets queries through and is not for everything.
fn is_for_dns(rule: &Rule) -> bool {
    matches!(rule.effect, Effect::Allow { .. }) && !rule.l4.is_all() && rule.l4.contains(QUERY)
}

/// A resolver, when neither it nor anybody else who may answer queries is in reach.
fn out_of_reach(trial: &Trial<'_, '_>, finder: &Finder, resolvers: &Selector, rules: &RuleSet) -> Option<PeerId> {
    let diagram = diagram::build(rules, trial.table().peers().count() as u32, &Limits::default()).ok()?;
    let answers = |diagram: &Diagram, peer: PeerId| {
        ASKED.iter().any(|port| diagram.eval(peer, L4Key::new(Protocol::UDP, *port)).is_allowed())
    };
    let is_other = |info: &PeerInfo, peer: PeerId| match info.key.region {
        Some(region) => !finder.addresses().services.iter().any(|(ip, _)| region == flow::Prefix::host(*ip)),
        None => peer != HOST && !trial.is_imagined_peer(peer),
    };
    let mut asked = None;
    for (peer, info) in trial.table().peers() {
        let is_resolver = resolvers.matches(&info.key.labels);
        if is_resolver && asked.is_none() {
            asked = Some(peer);
        }
        if (is_resolver || is_other(info, peer)) && answers(&diagram, peer) {
            return None;
        }
    }
    asked
}

fn render(db: &dyn Db, origin: &Origin, flow: &str, by: &str) -> Option<Diagnostic> {
    let (file, span) = place(db, origin)?;
    let said = PAGE.says("DNS is allowed to nobody who answers it").blame(file, span, "reaches no DNS pod");
    let why = format!("{flow}, is dropped{by}, and no other peer of port 53 is there: no name is resolved, and connections by name fail");
    Some(said.why(why).help(
        "allow UDP and TCP port 53 to the pods labelled `k8s-app=kube-dns` of namespace `kube-system`: rules are about pods, so the address of a \
         service is no peer",
    ))
}
