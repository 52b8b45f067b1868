//! What holds for one class of subjects: bound, rules, diagram.

use crate::world::{self, Scope};
use diagram::{Diagram, TooLarge};
use facts::Config;
use flow::{Direction, Peers};
use hir::labels::NAMESPACE;
use hir::peers::HostId;
use hir::resolve::{self, Bound};
use hir::subject::Class;
use hir::{PeerSelector, Source};
use inputs::Db;
use rules::RuleSet;
use std::sync::Arc;

/// A class of subjects, as a key of queries.
#[salsa::interned]
pub struct ClassKey<'db> {
    /// The class.
    #[returns(ref)]
    pub class: Class,
}

/// A peer selector as seen from nodes of one kind, as a key of queries.
#[salsa::interned]
pub struct SelectorKey<'db> {
    /// The selector.
    #[returns(ref)]
    pub selector: PeerSelector,
    /// What the subject's own node is.
    #[returns(copy)]
    pub host: HostId,
}

/// Whom a selector selects.
#[salsa::tracked(returns(clone))]
pub fn members<'db>(db: &'db dyn Db, key: SelectorKey<'db>) -> Peers {
    resolve::members(key.selector(db), key.host(db), &world::space(db))
}

/// The configuration alone, so that pods do not stir what depends on it.
#[salsa::tracked(returns(clone))]
pub fn config(db: &dyn Db) -> Arc<Config> {
    Arc::new(world::cluster(db).config.clone())
}

/// `resolve`: the policies that select a class, bound to peers and ports.
#[salsa::tracked(returns(clone))]
pub fn bound<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<Bound> {
    let class = key.class(db);
    db.ran("resolve", &name(class));
    let of = |namespace: &str| world::policies(db, Scope::new(db, namespace.to_owned()));
    let own = class.labels.get(Some(&Source::K8s), NAMESPACE).map(of);
    let policies: Vec<_> = own.iter().flat_map(|own| own.iter()).cloned().chain(of("").iter().cloned()).collect();
    let mut members = |selector: &PeerSelector, host: HostId| members(db, SelectorKey::new(db, selector.clone(), host));
    let (space, config) = (world::space(db), config(db));
    let dialect = db.project().dialect(db);
    let policies = policies.iter().map(|policy| &**policy);
    Arc::new(resolve::resolve_with(policies, class, &space, &config, dialect, &mut members))
}

/// `lower`: the rules of both directions, ingress first.
#[salsa::tracked(returns(clone))]
pub fn rule_sets<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Arc<[RuleSet; 2]> {
    db.ran("lower", &name(key.class(db)));
    let (ingress, egress) = lower::lower(&bound(db, key));
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
