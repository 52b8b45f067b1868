//! What the other policies do for the same subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use driver::Db;
use driver::world::Policies;
use flow::{Direction, Protocol};
use hir::labels::{LabelSet, NAMESPACE, NAMESPACE_LABELS};
use hir::{
    Effect, Entity, Entry, Isolation, L3, L4, Operator, PeerSelector, Requirement, Section, Selector, Source, Subjects,
};

use request::Rules;

use crate::cover;
use crate::find::is_name;

/// What all policies do, by namespace; the empty name is for policies of the whole cluster.
pub(crate) struct Others {
    /// Every policy, by namespace.
    pub policies: Arc<BTreeMap<String, Policies>>,
    by_namespace: BTreeMap<String, Vec<Brief>>,
}

/// What one section does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Brief {
    pub subjects: Subjects,
    /// Names and patterns that its DNS rules let through; empty without DNS rules.
    pub dns: Vec<String>,
    /// Whether it may let queries through to port 53 of somebody who answers them. Of a rule for that port it is not asked who that is,
    /// which TG0231 does; one for every port has to mean a resolver.
    pub reaches_dns: bool,
    /// Whether it allows something, ingress first.
    pub allows: [bool; 2],
    /// Whether it isolates, ingress first.
    pub isolates: [bool; 2],
    /// Whether it may allow other nodes or the API server, ingress first.
    pub admits_nodes: [bool; 2],
}

/// A pod that answers DNS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver<'f> {
    pub labels: &'f LabelSet,
    /// Whether an object tells the labels of its namespace.
    pub has_namespace: bool,
}

impl Resolver<'_> {
    /// Whether a selector means it, as far as its labels are known.
    fn may_be_meant(self, selector: &Selector) -> bool {
        let is_told = |it: &&Requirement| self.has_namespace || is_name(it) || !it.key.starts_with(NAMESPACE_LABELS);
        selector.requirements().iter().filter(is_told).all(|it| it.matches(self.labels))
    }
}

impl Others {
    /// `resolvers` are the pods that answer DNS, as far as they are known.
    pub fn new(db: &dyn Db, resolvers: &[Resolver<'_>]) -> Others {
        let index = driver::world::index(db);
        let of = |policies: &Policies| {
            let mut briefs: Vec<Brief> =
                policies.iter().flat_map(|policy| policy.sections.iter().map(|it| brief(it, resolvers))).collect();
            briefs.sort();
            briefs.dedup();
            briefs
        };
        let by_namespace = index.iter().map(|(namespace, policies)| (namespace.clone(), of(policies))).collect();
        Others { by_namespace, policies: index }
    }

    /// The sections that may be about a subject of a section: those of its namespace and of the whole cluster, itself included.
    pub fn near<'o>(&'o self, namespace: &'o str, subjects: &'o Subjects) -> impl Iterator<Item = &'o Brief> {
        let here = move |name: &str| namespace.is_empty() || name.is_empty() || name == namespace;
        let lists = self.by_namespace.iter().filter(move |(name, _)| here(name)).map(|(_, briefs)| briefs);
        lists.flatten().filter(|brief| cover::may_share(&brief.subjects, subjects))
    }
}

fn brief(section: &Section, resolvers: &[Resolver<'_>]) -> Brief {
    let allows = |direction: Direction| move |it: &&Entry| it.direction == direction && it.effect == Effect::Allow;
    let of = |direction: Direction| section.entries.iter().filter(allows(direction));
    let isolates = |isolation: &Isolation| matches!(isolation, Isolation::Isolates(_));
    let mut dns: Vec<String> = of(Direction::Egress).flat_map(dns_names).collect();
    dns.sort();
    dns.dedup();
    Brief {
        subjects: section.subjects.clone(),
        dns,
        reaches_dns: of(Direction::Egress).any(|it| reaches_dns(it, resolvers)),
        allows: [of(Direction::Ingress).next().is_some(), of(Direction::Egress).next().is_some()],
        isolates: [isolates(&section.ingress), isolates(&section.egress)],
        admits_nodes: [of(Direction::Ingress).any(admits_nodes), of(Direction::Egress).any(admits_nodes)],
    }
}

/// Whether an allow may let queries through.
fn reaches_dns(entry: &Entry, resolvers: &[Resolver<'_>]) -> bool {
    let may_answer = |peer: &PeerSelector| match peer {
        PeerSelector::Labels { selector, .. } => may_select(selector, resolvers),
        _ => true,
    };
    let may_reach = |l3: &L3| !matches!(l3, L3::Any(peers) if !peers.iter().any(|it| may_answer(&it.selector)));
    cover::has_port(&entry.l4, Protocol::UDP, 53) && (entry.l4 != L4::Unrestricted || may_reach(&entry.l3))
}

/// Whether a selector may mean a pod that answers DNS: one of those that are known, else one of `kube-system`.
fn may_select(selector: &Selector, resolvers: &[Resolver<'_>]) -> bool {
    if !resolvers.is_empty() {
        return resolvers.iter().any(|it| it.may_be_meant(selector));
    }
    let elsewhere = |it: &Requirement| {
        let of_name = it.key == NAMESPACE || is_name(it);
        of_name && matches!(&it.operator, Operator::In(values) if !values.iter().any(|name| name == "kube-system"))
    };
    !selector.requirements().iter().any(elsewhere)
}

/// Whether an allow may be about other nodes or the API server: by name, by address or by saying nothing of peers.
fn admits_nodes(entry: &Entry) -> bool {
    let L3::Any(peers) = &entry.l3 else { return entry.l3 == L3::Unrestricted };
    peers.iter().any(|peer| match &peer.selector {
        PeerSelector::Entity(entity) => {
            matches!(entity, Entity::All | Entity::Cluster | Entity::RemoteNode | Entity::KubeApiserver | Entity::World)
        }
        PeerSelector::Labels { selector, .. } => {
            selector.requirements().iter().any(|it| it.source == Some(Source::Reserved))
        }
        _ => true,
    })
}

/// The names and patterns of the DNS rules of an entry.
fn dns_names(entry: &Entry) -> Vec<String> {
    let Some(Rules::Dns(rules)) = entry.l7.as_ref().map(|l7| &l7.requests.rules) else { return Vec::new() };
    let names = rules.iter().flat_map(|rule| rule.name.iter().chain(&rule.pattern));
    names.map(|name| hir::peers::canonical(name)).collect()
}
