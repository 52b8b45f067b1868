//! What the other policies do for the same subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use driver::Db;
use driver::world::Policies;
use flow::{Direction, Protocol};
use hir::{Effect, Entity, Entry, Isolation, L3, PeerSelector, Section, Source, Subjects};

use request::Rules;

use crate::cover;

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
    /// Whether it may let queries through to port 53.
    pub reaches_dns: bool,
    /// Whether it allows something, ingress first.
    pub allows: [bool; 2],
    /// Whether it isolates, ingress first.
    pub isolates: [bool; 2],
    /// Whether it may allow other nodes or the API server, ingress first.
    pub admits_nodes: [bool; 2],
}

impl Others {
    pub fn new(db: &dyn Db) -> Others {
        let index = driver::world::index(db);
        let of = |policies: &Policies| {
            let mut briefs: Vec<Brief> = policies.iter().flat_map(|policy| policy.sections.iter().map(brief)).collect();
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

fn brief(section: &Section) -> Brief {
    let allows = |direction: Direction| move |it: &&Entry| it.direction == direction && it.effect == Effect::Allow;
    let of = |direction: Direction| section.entries.iter().filter(allows(direction));
    let isolates = |isolation: &Isolation| matches!(isolation, Isolation::Isolates(_));
    let mut dns: Vec<String> = of(Direction::Egress).flat_map(dns_names).collect();
    dns.sort();
    dns.dedup();
    Brief {
        subjects: section.subjects.clone(),
        dns,
        reaches_dns: of(Direction::Egress).any(|it| cover::has_port(&it.l4, Protocol::UDP, 53)),
        allows: [of(Direction::Ingress).next().is_some(), of(Direction::Egress).next().is_some()],
        isolates: [isolates(&section.ingress), isolates(&section.egress)],
        admits_nodes: [of(Direction::Ingress).any(admits_nodes), of(Direction::Egress).any(admits_nodes)],
    }
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
