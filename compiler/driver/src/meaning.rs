//! What holds for one class of subjects: bound, rules, diagram.

use crate::world::{self, Policies, Scope};
use diagram::{Diagram, TooLarge};
use facts::Config;
use flow::{Direction, Peers};
use hir::labels::NAMESPACE;
use hir::peers::{HostId, PeerTable};
use hir::resolve::{self, Bound, Conflict};
use hir::subject::{self, Class};
use hir::{PeerSelector, Source};
use image::Digest;
use inputs::Db;
use rules::RuleSet;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

/// A class of subjects, as a key of queries.
#[salsa::interned]
pub struct ClassKey<'db> {
    /// The class.
    #[returns(ref)]
    pub class: Class,
}

/// The keys of all classes, in the order of [`world::classes`]. Making a key costs more than asking whether its class is as it was.
#[salsa::tracked(returns(deref))]
pub fn keys<'db>(db: &'db dyn Db) -> Vec<ClassKey<'db>> {
    world::classes(db).keys().map(|class| ClassKey::new(db, class.clone())).collect()
}

/// Whom selectors select, kept beside the peers that it follows from and gone with them.
///
/// Not a query a selector: every class asks for several, and each would be an edge that the engine follows after every edit.
pub struct Selections {
    space: Arc<PeerTable>,
    known: Mutex<HashMap<(PeerSelector, HostId), Peers>>,
}

impl Selections {
    /// Whom a selector selects, for subjects whose own node is `host`.
    pub fn members(&self, selector: &PeerSelector, host: HostId) -> Peers {
        let key = (selector.clone(), host);
        let known = || self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(peers) = known().get(&key) {
            return peers.clone();
        }
        // Without the lock: two threads may find the same answer, which costs less than waiting for each other.
        let peers = resolve::members(selector, host, &self.space);
        known().insert(key, peers.clone());
        peers
    }
}

/// Whom selectors select among the peers of now.
#[salsa::tracked(no_eq, returns(clone))]
pub fn selections(db: &dyn Db) -> Arc<Selections> {
    Arc::new(Selections { space: world::space(db), known: Mutex::default() })
}

/// The configuration alone, so that pods do not stir what depends on it.
pub fn config(db: &dyn Db) -> Arc<Config> {
    match db.project().steady(db) {
        Some(steady) => steady.ground.config(db),
        None => found_config(db),
    }
}

/// The same, found.
#[salsa::tracked(returns(clone))]
pub(crate) fn found_config(db: &dyn Db) -> Arc<Config> {
    Arc::new(world::cluster(db).config.clone())
}

/// The policies that select a class: an edited policy that selects other classes leaves it equal.
#[salsa::tracked(returns(clone))]
pub fn selecting<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Policies {
    let class = key.class(db);
    let of = |namespace: &str| world::policies(db, Scope::new(db, namespace.to_owned()));
    let (own, everywhere) = (class.labels.get(Some(&Source::K8s), NAMESPACE).map(of), of(""));
    let all = own.iter().flat_map(|own| own.iter()).chain(everywhere.iter()).cloned();
    all.filter(|policy| policy.sections.iter().any(|section| subject::selects(section, class))).collect()
}

/// `resolve`: the policies that select a class, bound to peers and ports.
pub fn bound<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<Bound> {
    kept(db, key).content().unwrap_or_else(|| Arc::new(bind(db, key)))
}

/// The clauses of a class that contradict each other: where there are any, nothing is decided, and what was in force should stay.
pub fn conflicts<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<BTreeSet<Conflict>> {
    kept(db, key).conflicts.clone()
}

/// What is kept of a bound class. Until it is lowered that is all of it; then its digest alone, by which an equal answer still stops an
/// edit: rules say the same again, and a cluster has many classes.
struct Kept {
    digest: Digest,
    conflicts: Arc<BTreeSet<Conflict>>,
    content: Mutex<Option<Arc<Bound>>>,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Kept {}

impl Kept {
    fn of(bound: Bound) -> Kept {
        let mut bytes = Bytes(Vec::new());
        bound.hash(&mut bytes);
        let conflicts = Arc::new(bound.conflicts.clone());
        Kept { digest: Digest::of(&bytes.0), conflicts, content: Mutex::new(Some(Arc::new(bound))) }
    }

    fn content(&self) -> Option<Arc<Bound>> {
        self.content.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn forget(&self) {
        *self.content.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }
}

/// Everything that a value feeds to a hasher, so that a digest can be made of it.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Not asked for: the digest is of the bytes.
    fn finish(&self) -> u64 {
        0
    }
}

#[salsa::tracked(returns(clone))]
fn kept<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<Kept> {
    db.ran("resolve", &name(key.class(db)));
    Arc::new(Kept::of(bind(db, key)))
}

fn bind<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Bound {
    let class = key.class(db);
    let policies = selecting(db, key);
    let selections = selections(db);
    let mut members = |selector: &PeerSelector, host: HostId| selections.members(selector, host);
    let (space, config) = (world::space(db), config(db));
    let dialect = db.project().dialect(db);
    let policies = policies.iter().map(|policy| &**policy);
    resolve::resolve_with(policies, class, &space, &config, dialect, &mut members)
}

/// `lower`: the rules of both directions, ingress first.
#[salsa::tracked(returns(clone))]
pub fn rule_sets<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<[RuleSet; 2]> {
    db.ran("lower", &name(key.class(db)));
    let (mut ingress, mut egress) = lower::lower(&bound(db, key));
    ingress.shrink();
    egress.shrink();
    kept(db, key).forget();
    Arc::new([ingress, egress])
}

/// `build`: the diagrams of both directions, ingress first.
///
/// Errors: the first limit that a direction would exceed.
#[salsa::tracked(returns(clone))]
pub fn diagrams<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Result<Arc<[Diagram; 2]>, TooLarge> {
    db.ran("build", &name(key.class(db)));
    let peers = world::space(db).peers().count() as u32;
    let [ingress, egress] = &*rule_sets(db, key);
    let ingress = diagram::build(ingress, peers, db.diagram_limits())?;
    let egress = diagram::build(egress, peers, db.diagram_limits())?;
    Ok(Arc::new([ingress, egress]))
}

/// The rules and diagrams of both directions, ingress first, for a flow that a service sends back to the subject that opened it. Asked of
/// few, so kept nowhere.
///
/// Errors: the first limit that a direction would exceed.
pub fn of_itself<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Result<([RuleSet; 2], [Diagram; 2]), TooLarge> {
    let (bound, dialect) = (bound(db, key), db.project().dialect(db));
    let rules = [&bound.ingress, &bound.egress].map(|it| lower::lower_direction(&it.of_itself(dialect)));
    let peers = world::space(db).peers().count() as u32;
    let build = |rules: &RuleSet| diagram::build(rules, peers, db.diagram_limits());
    let diagrams = [build(&rules[0])?, build(&rules[1])?];
    Ok((rules, diagrams))
}

/// Where a direction stands in pairs of both: ingress first.
pub fn slot(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

/// What a class is called in logs and images: its namespace and labels.
pub fn name(class: &Class) -> String {
    class.labels.to_string()
}
