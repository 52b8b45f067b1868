//! Which labels policies use, which labels multiply identities, and the filter that leaves out what nobody uses.
//!
//! The filter is not believed: both clusters, with it and without, are decided for every pod and every peer, and compared.

use diagram::{Diagram, L4Map, Limits};
use driver::{Database, world};
use facts::{Cluster, LabelPattern, Name, Pod};
use flow::PeerId;
use hir::Dialect;
use hir::identities::{self, used};
use hir::labels::LabelSet;
use hir::peers::{PeerTable, WORLD_V4, WORLD_V6};
use hir::policy::Policy;
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
    let identities = identities(&cluster, dialect);
    let before: BTreeSet<&LabelSet> = identities.keys().collect();
    let costs = identities::keys(&before);
    let (left_out, after) = identities::needless(&before, &costs, &used);
    let mut filtered = cluster.clone();
    let patterns: Vec<String> =
        costs.iter().filter(|it| left_out.contains(it.key.as_str())).map(|it| identities::pattern(&it.key)).collect();
    filtered.config.labels.patterns.extend(patterns.iter().map(|pattern| LabelPattern {
        leaves_out: true,
        source: String::new(),
        key: pattern.clone(),
    }));
    let patterns: Vec<String> = patterns.iter().map(|it| format!("!{it}")).collect();
    let keys = costs.iter().map(|it| Key {
        key: it.key.clone(),
        values: it.values.len(),
        costs: it.costs,
        used_by: used.get(&it.key).cloned().unwrap_or_default(),
        generated: it.values.len() > 1 && it.values.iter().all(|value| super::stable::is_generated(value)),
        left_out: left_out.contains(it.key.as_str()),
    });
    let (keys, before) = (keys.collect(), before.len());
    let (compared, differs) = compare(db, &policies, dialect, &cluster, &filtered)?;
    Ok(Advice { keys, before, after, filter: patterns.join(" "), compared, differs })
}

/// The pods that have identities, by their labels.
fn identities(cluster: &Cluster, dialect: &Dialect) -> BTreeMap<LabelSet, Vec<Name>> {
    let mut found: BTreeMap<LabelSet, Vec<Name>> = BTreeMap::new();
    for pod in cluster.pods.values().filter(|pod| !pod.host_network && !pod.phase.is_over()) {
        found.entry(subject::endpoint_labels(pod, cluster, dialect)).or_default().push(pod.name.clone());
    }
    found
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
