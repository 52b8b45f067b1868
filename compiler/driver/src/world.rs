//! From the objects of all files to the cluster, its peers and its classes.

use crate::text;
use facts::{Cluster, Fact};
use hir::gateway::GatewayPolicy;
use hir::peers::{Mentions, PeerTable};
use hir::subject::{self, Class, Subject};
use hir::{ObjectRef, Policy};
use inputs::{Bucket, Db, Heeded};
use kinds::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The policies that can select subjects of one namespace.
pub type Policies = Arc<[Arc<Policy>]>;

/// What the files of a bucket say, file by file. The one query that looks at every file; as long as none of them was edited, the engine
/// does not. Its parts are queries of their own, and restless: see [`inputs::Project::restless`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    facts: Arc<[Arc<[Fact]>]>,
    policies: Arc<[Arc<Policy>]>,
    gateways: Arc<[Arc<GatewayPolicy>]>,
    foreign: Arc<[(Engine, ObjectRef)]>,
}

#[salsa::tracked(returns(clone))]
fn bucket_told(db: &dyn Db, bucket: Bucket) -> Arc<Told> {
    let files = bucket.files(db);
    let facts = files.iter().map(|file| text::facts_of(db, *file)).filter(|facts| !facts.is_empty()).collect();
    let policies = files.iter().flat_map(|file| text::policies_of(db, *file).to_vec()).collect();
    let gateways = files.iter().flat_map(|file| text::gateways_of(db, *file).to_vec()).collect();
    let foreign = files.iter().flat_map(|file| text::foreign_of(db, *file)).collect();
    Arc::new(Told { facts, policies, gateways, foreign })
}

fn told(db: &dyn Db, bucket: Bucket) -> Arc<Told> {
    let _ = db.project().restless(db);
    bucket_told(db, bucket)
}

/// The policies of egress gateways in the files of a bucket.
#[salsa::tracked(returns(clone))]
fn bucket_gateways(db: &dyn Db, bucket: Bucket) -> Arc<[Arc<GatewayPolicy>]> {
    told(db, bucket).gateways.clone()
}

/// The policies of egress gateways, by name; one that stands twice counts as it stands last.
#[salsa::tracked(returns(clone))]
pub fn gateways(db: &dyn Db) -> Arc<[Arc<GatewayPolicy>]> {
    let mut latest = BTreeMap::new();
    for bucket in db.project().buckets(db).iter() {
        latest.extend(bucket_gateways(db, *bucket).iter().map(|policy| (policy.object.clone(), policy.clone())));
    }
    latest.into_values().collect()
}

/// The policies of other engines in the files of a bucket.
#[salsa::tracked(returns(clone))]
fn bucket_foreign(db: &dyn Db, bucket: Bucket) -> Arc<[(Engine, ObjectRef)]> {
    told(db, bucket).foreign.clone()
}

/// How many policies of other engines stand in the files, by engine. They may change any verdict and none of them is evaluated, so a
/// report that this is not empty for is incomplete: `incomplete: 3 Calico policies not evaluated`.
///
/// Shape: no engine with a count of 0; an object that stands twice counts once. The name of an engine is [`Engine::name`].
#[salsa::tracked(returns(clone))]
pub fn foreign(db: &dyn Db) -> Arc<BTreeMap<Engine, usize>> {
    let mut objects = BTreeSet::new();
    for bucket in db.project().buckets(db).iter() {
        objects.extend(bucket_foreign(db, *bucket).iter().cloned());
    }
    let mut counts = BTreeMap::new();
    for (engine, _) in objects {
        *counts.entry(engine).or_default() += 1;
    }
    Arc::new(counts)
}

/// The facts of the files of a bucket.
#[salsa::tracked(returns(clone))]
fn bucket_facts(db: &dyn Db, bucket: Bucket) -> Arc<[Arc<[Fact]>]> {
    told(db, bucket).facts.clone()
}

/// `cluster`: the snapshot, and over it what files say of the cluster, the last file winning.
#[salsa::tracked(returns(clone))]
pub fn cluster(db: &dyn Db) -> Arc<Cluster> {
    db.ran("cluster", &"");
    let project = db.project();
    let buckets = project.buckets(db);
    let told: Vec<_> =
        buckets.iter().map(|bucket| bucket_facts(db, *bucket)).filter(|facts| !facts.is_empty()).collect();
    if told.is_empty() {
        return project.cluster(db);
    }
    let all = told.iter().flat_map(|files| files.iter().flat_map(|facts| facts.iter()));
    Arc::new(told_by(db, all))
}

/// The snapshot of a project, and over it some facts instead of those of its files, the last winning. Kept nowhere.
pub fn told_by<'f>(db: &dyn Db, facts: impl Iterator<Item = &'f Fact>) -> Cluster {
    let mut cluster = (*db.project().cluster(db)).clone();
    let heeded = db.project().heeded(db);
    for fact in facts.filter(|fact| heeded == Heeded::All || is_declared(fact)) {
        cluster.insert(fact.clone());
    }
    cluster
}

/// Whether people declare such a fact, before there is a cluster.
fn is_declared(fact: &Fact) -> bool {
    match fact {
        Fact::Namespace(_) | Fact::Service(_) | Fact::Workload(_) | Fact::CidrGroup(_) | Fact::NodeConfig(_) => true,
        Fact::Pod(_) | Fact::Node(_) | Fact::EndpointSlice(_) | Fact::CiliumNode(_) => false,
        Fact::AgentConfig(_) | Fact::DnsCache(_) | Fact::CloudGroups(_) => false,
    }
}

/// The policies of the files of a bucket.
#[salsa::tracked(returns(clone))]
fn bucket_policies(db: &dyn Db, bucket: Bucket) -> Arc<[Arc<Policy>]> {
    told(db, bucket).policies.clone()
}

/// The policies of the files of a bucket by namespace, each by name; of those that stand twice the last.
#[salsa::tracked(returns(clone))]
fn bucket_index(db: &dyn Db, bucket: Bucket) -> Arc<BTreeMap<String, Policies>> {
    Arc::new(by_namespace(bucket_policies(db, bucket).iter().cloned().collect()))
}

fn by_namespace(mut policies: Vec<Arc<Policy>>) -> BTreeMap<String, Policies> {
    // Stable, so that of those that stand twice the last one stays last.
    policies.sort_by(|one, other| one.object.cmp(&other.object));
    let latest: Vec<&Arc<Policy>> =
        policies.chunk_by(|one, other| one.object == other.object).filter_map(|same| same.last()).collect();
    let of_one = latest.chunk_by(|one, other| one.object.namespace == other.object.namespace);
    let mut by_namespace: BTreeMap<String, Vec<Arc<Policy>>> = BTreeMap::new();
    for policies in of_one {
        let namespace = by_namespace.entry(policies[0].object.namespace.clone()).or_default();
        namespace.extend(policies.iter().copied().cloned());
    }
    by_namespace.into_iter().map(|(namespace, policies)| (namespace, Arc::from(policies))).collect()
}

/// `index`: every policy by the namespace whose subjects it can select; the empty name is for those of the whole cluster.
///
/// An object that stands twice counts as it stands last.
#[salsa::tracked(returns(clone))]
pub fn index(db: &dyn Db) -> Arc<BTreeMap<String, Policies>> {
    db.ran("index", &"");
    let mut told: BTreeMap<String, Vec<Policies>> = BTreeMap::new();
    for bucket in db.project().buckets(db).iter() {
        for (namespace, policies) in bucket_index(db, *bucket).iter() {
            match told.get_mut(namespace) {
                Some(known) => known.push(policies.clone()),
                None => drop(told.insert(namespace.clone(), vec![policies.clone()])),
            }
        }
    }
    let joined = |(namespace, mut told): (String, Vec<Policies>)| {
        let policies = match told.len() {
            // Most namespaces stand in one bucket, and are in order already.
            1 => told.remove(0),
            _ => {
                let all = told.iter().flat_map(|policies| policies.iter().cloned()).collect();
                by_namespace(all).remove(&namespace).unwrap_or_else(|| Arc::from([]))
            }
        };
        (namespace, policies)
    };
    Arc::new(told.into_iter().map(joined).collect())
}

/// A namespace, as a key of queries.
#[salsa::interned]
pub struct Scope<'db> {
    /// Its name; empty for the whole cluster.
    #[returns(deref)]
    pub namespace: String,
}

/// The policies of one namespace, or those of the whole cluster: equal answers stop an edit elsewhere.
#[salsa::tracked(returns(clone))]
pub fn policies<'db>(db: &'db dyn Db, scope: Scope<'db>) -> Policies {
    let namespace = scope.namespace(db);
    let known = match db.project().steady(db) {
        Some(steady) => steady.rooms.get(namespace).map(|room| room.policies(db)),
        None => index(db).get(namespace).cloned(),
    };
    known.unwrap_or_else(|| Arc::from([]))
}

/// What the policies of a bucket mention.
#[salsa::tracked(returns(clone))]
fn bucket_mentions(db: &dyn Db, bucket: Bucket) -> Arc<Mentions> {
    let mut mentions = Mentions::default();
    for policy in bucket_policies(db, bucket).iter() {
        mentions.extend(&Mentions::of(policy));
    }
    Arc::new(mentions)
}

/// Everything in policies that splits the world into peers.
#[salsa::tracked(returns(clone))]
pub fn mentions(db: &dyn Db) -> Arc<Mentions> {
    let mut mentions = Mentions::default();
    for bucket in db.project().buckets(db).iter() {
        mentions.extend(&bucket_mentions(db, *bucket));
    }
    Arc::new(mentions)
}

/// `peers`: every remote party with its number, and whose address is whose.
#[salsa::tracked(returns(clone))]
pub fn peers(db: &dyn Db) -> Arc<PeerTable> {
    db.ran("peers", &"");
    let table = PeerTable::build(&cluster(db), &mentions(db), db.project().dialect(db));
    Arc::new(table)
}

/// The peers without their addresses and names. A pod that joins known peers leaves it equal, and the wave stops.
pub fn space(db: &dyn Db) -> Arc<PeerTable> {
    match db.project().steady(db) {
        Some(steady) => steady.ground.space(db),
        None => found_space(db),
    }
}

/// `space`: the same, found.
#[salsa::tracked(returns(clone))]
pub(crate) fn found_space(db: &dyn Db) -> Arc<PeerTable> {
    db.ran("space", &"");
    Arc::new(peers(db).space())
}

/// `classes`: every subject, by class.
#[salsa::tracked(returns(clone))]
pub fn classes(db: &dyn Db) -> Arc<BTreeMap<Class, Vec<Subject>>> {
    db.ran("classes", &"");
    Arc::new(subject::classes(&cluster(db), &peers(db), db.project().dialect(db)))
}
