//! One side of a comparison: facts, policies, reading.

use crate::suppose::differing;
use driver::text::{self, Role};
use driver::{Database, Db, Knowledge, SourceFile, Stop, world};
use facts::{Cluster, Fact};
use hir::gateway::GatewayPolicy;
use hir::peers::Mentions;
use hir::policy::Subjects;
use hir::{Dialect, ObjectRef, Policy, Source, labels::NAMESPACE};
use kinds::{Consequence, Engine};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its path, as the database knows it; a path that it does not know is a new file.
    pub path: String,
    /// Its new text; `None` when it is gone.
    pub text: Option<String>,
}

/// One side.
#[derive(Clone)]
pub(crate) struct Side {
    pub cluster: Cluster,
    /// By the namespace whose subjects they can select; the empty name is for those of the whole cluster.
    pub policies: BTreeMap<String, Vec<Arc<Policy>>>,
    pub gateways: Vec<Arc<GatewayPolicy>>,
    /// Policies of other engines, with what they say.
    pub foreign: BTreeMap<(Engine, ObjectRef), String>,
    pub rejected: Vec<ObjectRef>,
    /// Clauses that this build does not evaluate: object and path.
    pub closed: Vec<(ObjectRef, String)>,
    pub dialect: &'static Dialect,
    pub partial: bool,
    /// Whether anybody still wants to know.
    pub stop: Stop,
}

impl Side {
    /// What a database holds.
    pub fn of(db: &Database) -> Side {
        let mut found = Found::default();
        for file in db.files() {
            found.add(db, file);
        }
        let mut cluster = (*world::cluster(db)).clone();
        // Why: a cluster that only records what policies deny lets everything pass; who compares wants to know what they say.
        cluster.config.audit = false;
        found.side(cluster, db)
    }

    /// What a database would hold after some files are edited. Cost: the edited files are read, the others are as they were.
    pub fn after(db: &Database, edits: &[Edit]) -> Side {
        let mut edited = Database::new();
        edited.set_namespace(db.project().namespace(db));
        edited.set_dialect(db.dialect());
        let texts = edits.iter().filter_map(|edit| Some((edit.path.as_str(), edit.text.as_deref()?)));
        edited.set_files(texts.map(|(path, text)| (Arc::from(path), Arc::from(text))));
        // In the order of paths, as one that stands twice counts as it stands last.
        let mut all: BTreeMap<String, (&Database, SourceFile)> = BTreeMap::new();
        for file in db.files().filter(|file| edits.iter().all(|edit| edit.path != file.path(db))) {
            all.insert(file.path(db).to_owned(), (db, file));
        }
        for file in edited.files() {
            all.insert(file.path(&edited).to_owned(), (&edited, file));
        }
        let mut found = Found::default();
        all.into_values().for_each(|(db, file)| found.add(db, file));
        let mut cluster = world::told_by(db, found.facts.iter());
        cluster.config.audit = false;
        found.side(cluster, db)
    }

    /// The policies that select a class, in order.
    pub fn selecting(&self, class: &hir::Class) -> Vec<&Arc<Policy>> {
        let own = class.labels.get(Some(&Source::K8s), NAMESPACE).and_then(|own| self.policies.get(own));
        let all = own.into_iter().chain(self.policies.get("")).flatten();
        all.filter(|policy| policy.sections.iter().any(|section| hir::subject::selects(section, class))).collect()
    }

    /// It with nodes that enforce policies.
    pub fn with_host_firewall(mut self) -> Side {
        self.cluster.config.host_firewall = true;
        self
    }

    /// Every policy.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.values().flatten()
    }

    /// What its policies mention.
    pub fn mentions(&self) -> Mentions {
        let mut mentions = Mentions::default();
        self.all().for_each(|policy| mentions.extend(&Mentions::of(policy)));
        mentions
    }
}

/// Whether policies of nodes differ, which nodes enforce only where they are told to.
pub(crate) fn policies_of_nodes_differ(old: &Side, new: &Side) -> bool {
    let is_of_nodes =
        |policy: &Arc<Policy>| policy.sections.iter().any(|section| matches!(section.subjects, Subjects::Nodes(_)));
    // Why first: few clusters have any, and this is asked for every fix that is proved.
    old.all().chain(new.all()).any(is_of_nodes) && differing(old, new).iter().any(is_of_nodes)
}

/// What files hold.
#[derive(Default)]
struct Found {
    policies: BTreeMap<ObjectRef, Arc<Policy>>,
    gateways: BTreeMap<ObjectRef, Arc<GatewayPolicy>>,
    foreign: BTreeMap<(Engine, ObjectRef), String>,
    rejected: Vec<ObjectRef>,
    closed: BTreeMap<ObjectRef, Vec<String>>,
    facts: Vec<Fact>,
}

impl Found {
    fn add(&mut self, db: &Database, file: SourceFile) {
        let decoded = text::decoded(db, file);
        self.foreign.extend(text::foreign_texts(db, file));
        let named = |policy: &Arc<Policy>| (policy.object.clone(), policy.clone());
        self.policies.extend(decoded.policies.iter().map(named));
        self.gateways.extend(decoded.gateways.iter().map(|policy| (policy.object.clone(), policy.clone())));
        self.facts.extend(decoded.facts.iter().cloned());
        for object in decoded.objects.iter() {
            match object.role {
                Role::Rejected => self.rejected.push(object.object.clone()),
                Role::Policy => {
                    let closed = object.problems.iter().filter(|it| it.consequence == Consequence::Closed);
                    let paths: Vec<String> = closed.map(|it| it.path.clone()).collect();
                    if !paths.is_empty() {
                        self.closed.insert(object.object.clone(), paths);
                    }
                }
                Role::Fact | Role::Other => {}
            }
        }
    }

    fn side(self, cluster: Cluster, db: &Database) -> Side {
        let mut policies: BTreeMap<String, Vec<Arc<Policy>>> = BTreeMap::new();
        for policy in self.policies.into_values() {
            policies.entry(policy.object.namespace.clone()).or_default().push(policy);
        }
        let mut rejected = self.rejected;
        rejected.sort();
        rejected.dedup();
        let closed = self.closed.into_iter();
        Side {
            cluster,
            policies,
            gateways: self.gateways.into_values().collect(),
            foreign: self.foreign,
            rejected,
            closed: closed.flat_map(|(object, paths)| paths.into_iter().map(move |it| (object.clone(), it))).collect(),
            dialect: db.dialect(),
            partial: db.project().knowledge(db) == Knowledge::Partial,
            stop: db.stop().clone(),
        }
    }
}
