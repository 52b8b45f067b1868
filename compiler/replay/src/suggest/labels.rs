//! Which labels policies use, which labels multiply identities, and the filter that leaves out what nobody uses.
//!
//! The filter is not believed: both clusters, with it and without, are decided for every pod and every peer, and compared.

use diagram::{Diagram, L4Map, Limits};
use driver::{Database, world};
use facts::{Cluster, LabelPattern, Name, Pod};
use flow::PeerId;
use hir::Dialect;
use hir::labels::{LabelSet, NAMESPACE, NAMESPACE_LABELS, RESERVED_PREFIX, Selector, Source};
use hir::peers::{PeerTable, WORLD_V4, WORLD_V6};
use hir::policy::{L3, PeerSelector, Policy, Subjects};
use hir::subject::{self, Class};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known of one key of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key, as it stands in identities.
    pub key: String,
    /// Different values.
    pub values: usize,
    /// Identities that there would be fewer, were it left out alone.
    pub costs: usize,
    /// Policies that select by it.
    pub used_by: BTreeSet<String>,
    /// Its values look made by a program.
    pub generated: bool,
    /// The filter leaves it out.
    pub left_out: bool,
}

/// What to do about labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Every key, most costly first.
    pub keys: Vec<Key>,
    /// Identities of pods now.
    pub before: usize,
    /// Identities of pods with the filter.
    pub after: usize,
    /// The setting `labels` of the agent; empty where nothing need be left out.
    pub filter: String,
    /// Pairs of a pod and a peer whose verdicts were compared.
    pub compared: u64,
    /// The first pair, if any, whose verdicts the filter would change; then the filter must not be used.
    pub differs: Option<String>,
}

/// Advises about the labels of a database, under a dialect in which labels make identities.
///
/// Errors: the diagram of a class would be too large to compare.
pub fn advise(db: &Database, dialect: &Dialect) -> Result<Advice, diagram::TooLarge> {
    let cluster = reason::party::planned(&world::cluster(db));
    let policies: Vec<Arc<Policy>> = world::index(db).values().flat_map(|all| all.iter().cloned()).collect();
    let used = used(&policies);
    let before = identities(&cluster, dialect);
    let mut keys = keys(&before, &used);
    let mut filtered = cluster.clone();
    let mut patterns: Vec<String> = Vec::new();
    let mut count = before.len();
    for key in keys.iter_mut().filter(|it| it.used_by.is_empty() && may_be_left_out(&it.key)) {
        let pattern = format!("{}$", escaped(&key.key));
        let mut with = filtered.clone();
        with.config.labels.patterns.push(LabelPattern {
            leaves_out: true,
            source: String::new(),
            key: pattern.clone(),
        });
        let fewer = identities(&with, dialect).len();
        if fewer < count {
            (filtered, count, key.left_out) = (with, fewer, true);
            patterns.push(format!("!{pattern}"));
        }
    }
    let (compared, differs) = compare(db, &policies, dialect, &cluster, &filtered)?;
    Ok(Advice { keys, before: before.len(), after: count, filter: patterns.join(" "), compared, differs })
}

/// The pods that have identities, by their labels.
fn identities(cluster: &Cluster, dialect: &Dialect) -> BTreeMap<LabelSet, Vec<Name>> {
    let mut found: BTreeMap<LabelSet, Vec<Name>> = BTreeMap::new();
    for pod in cluster.pods.values().filter(|pod| !pod.host_network && !pod.phase.is_over()) {
        found.entry(subject::endpoint_labels(pod, cluster, dialect)).or_default().push(pod.name.clone());
    }
    found
}

/// Derived labels say where a pod is; a filter that leaves them out breaks more than policies.
fn may_be_left_out(key: &str) -> bool {
    let derived = key == NAMESPACE || key.starts_with(RESERVED_PREFIX);
    !derived || key.starts_with(NAMESPACE_LABELS) && key != format!("{NAMESPACE_LABELS}kubernetes.io/metadata.name")
}

fn keys(identities: &BTreeMap<LabelSet, Vec<Name>>, used: &BTreeMap<String, BTreeSet<String>>) -> Vec<Key> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for label in identities.keys().flat_map(LabelSet::iter).filter(|label| label.source == Source::K8s) {
        values.entry(&label.key).or_default().insert(&label.value);
    }
    let without = |key: &str| {
        let rest = |set: &LabelSet| set.iter().filter(|label| label.key != key).cloned().collect::<LabelSet>();
        identities.keys().map(rest).collect::<BTreeSet<LabelSet>>().len()
    };
    let mut keys: Vec<Key> = values
        .into_iter()
        .map(|(key, values)| Key {
            key: key.to_owned(),
            values: values.len(),
            costs: identities.len() - without(key),
            used_by: used.get(key).cloned().unwrap_or_default(),
            generated: values.len() > 1 && values.iter().all(|value| super::stable::is_generated(value)),
            left_out: false,
        })
        .collect();
    keys.sort_by_key(|it| (usize::MAX - it.costs, usize::MAX - it.values, it.key.clone()));
    keys
}

/// Every key that policies select by, and which do.
fn used(policies: &[Arc<Policy>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for policy in policies {
        let name = policy.object.to_string();
        let mut add = |selector: &Selector| {
            for requirement in selector.requirements() {
                used.entry(requirement.key.clone()).or_default().insert(name.clone());
            }
        };
        for section in &policy.sections {
            match &section.subjects {
                Subjects::Endpoints(selector) | Subjects::Nodes(selector) => add(selector),
            }
            section.requires.iter().for_each(|requires| add(&requires.selector));
            for entry in &section.entries {
                let L3::Any(peers) = &entry.l3 else { continue };
                for peer in peers {
                    match &peer.selector {
                        PeerSelector::Labels { selector, .. } => add(selector),
                        PeerSelector::Nodes(selector) | PeerSelector::EveryNode(selector) => add(selector),
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

/// A key as a regular expression that matches it alone.
fn escaped(key: &str) -> String {
    key.replace('.', "\\.")
}

/// Everything that decides in one cluster.
struct Decided<'a> {
    cluster: &'a Cluster,
    peers: PeerTable,
    dialect: &'a Dialect,
    diagrams: BTreeMap<Class, [Diagram; 2]>,
}

impl<'a> Decided<'a> {
    fn of(
        db: &Database,
        policies: &[Arc<Policy>],
        dialect: &'a Dialect,
        cluster: &'a Cluster,
    ) -> Result<Decided<'a>, diagram::TooLarge> {
        let peers = PeerTable::build(cluster, &world::mentions(db), dialect);
        let count = peers.peers().count() as u32;
        let mut diagrams = BTreeMap::new();
        for class in subject::classes(cluster, &peers, dialect).into_keys() {
            let all = policies.iter().map(|policy| &**policy);
            let bound = hir::resolve::resolve(all, &class, &peers, &cluster.config, dialect);
            let (ingress, egress) = lower::lower(&bound);
            let limits = Limits::default();
            let both = [diagram::build(&ingress, count, &limits)?, diagram::build(&egress, count, &limits)?];
            diagrams.insert(class, both);
        }
        Ok(Decided { cluster, peers, dialect, diagrams })
    }

    /// The verdicts between a pod and a peer, for every port, both directions.
    fn maps(&self, pod: &Pod, peer: PeerId) -> Option<[&L4Map; 2]> {
        let class = subject::class_of_pod(pod, self.cluster, &self.peers, self.dialect)?;
        let [ingress, egress] = self.diagrams.get(&class)?;
        Some([ingress, egress].map(|it| it.l4(it.class_of(peer))))
    }
}

/// Decides every pod and peer with and without the filter. How many pairs, and the first that differs.
fn compare(
    db: &Database,
    policies: &[Arc<Policy>],
    dialect: &Dialect,
    before: &Cluster,
    after: &Cluster,
) -> Result<(u64, Option<String>), diagram::TooLarge> {
    let old = Decided::of(db, policies, dialect, before)?;
    let new = Decided::of(db, policies, dialect, after)?;
    let first_of = |cluster: &Cluster| {
        identities(cluster, dialect).into_values().filter_map(|pods| pods.first().cloned()).collect::<Vec<_>>()
    };
    // Pods of one old identity are one new identity, too: one of each says it for all.
    let pods: Vec<&Pod> = first_of(before).iter().filter_map(|name| before.pods.get(name)).collect();
    let mut compared = 0;
    for pod in &pods {
        for other in &pods {
            let Some(address) = other.own_ips().next() else { continue };
            let at = |table: &PeerTable| table.lookup(pod.node.as_deref(), address);
            compared += 1;
            if old.maps(pod, at(&old.peers)) != new.maps(pod, at(&new.peers)) {
                return Ok((compared, Some(format!("{} and {}", pod.name, other.name))));
            }
        }
        for world in [WORLD_V4, WORLD_V6] {
            compared += 1;
            if old.maps(pod, world) != new.maps(pod, world) {
                return Ok((compared, Some(format!("{} and the world", pod.name))));
            }
        }
    }
    Ok((compared, None))
}
