//! From text to objects, one file at a time.

use facts::Fact;
use facts::json::json;
use facts::read::At;
use hir::gateway::GatewayPolicy;
use hir::{Dialect, ObjectRef, Policy};
use inputs::{Db, SourceFile};
use kinds::{Engine, ProblemKind, What};
use std::sync::Arc;
use syntax::{Tree, Value};

/// `parse`: the tree of a file, for those who look for places in it. Spans live here and in nothing below, except problems.
///
/// Deciding needs no tree once a file is decoded, and trees of many files are larger than all else that is kept of them, so
/// [`decoded`] reads for itself and keeps none, unless [`Db::keeps_trees`]. Those that were asked for are kept: throwing away thousands of them at the next edit
/// was measured to cost as much as the edit itself.
#[salsa::tracked(no_eq, lru = 65536, returns(clone))]
pub fn tree(db: &dyn Db, file: SourceFile) -> Arc<Tree> {
    Arc::new(read(db, file))
}

fn read(db: &dyn Db, file: SourceFile) -> Tree {
    ran(db, "parse", file);
    let text = file.text(db).unwrap_or_default();
    syntax::parse(&text, db.syntax_limits())
}

/// Notes a query of a file. The path is read only for somebody who listens: reading it is an edge, too.
fn ran(db: &dyn Db, query: &'static str, file: SourceFile) {
    if db.listens() {
        db.ran(query, &file.path(db));
    }
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Accepted policies, in order.
    pub policies: Arc<[Arc<Policy>]>,
    /// Accepted policies of egress gateways, in order.
    pub gateways: Arc<[Arc<GatewayPolicy>]>,
    /// Cluster facts, in order.
    pub facts: Arc<[Fact]>,
    /// Every object, in order, rejected ones included.
    pub objects: Arc<[Object]>,
}

/// One object of a file, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind and name.
    pub object: ObjectRef,
    /// Which document of the file, from 0; documents without content count.
    pub document: usize,
    /// Where it is in the document: empty, or `items[3]` in a list.
    pub at: String,
    /// What it is to us.
    pub role: Role,
    /// What is wrong with it as a policy, in order of reading.
    pub problems: Vec<kinds::Problem>,
    /// What is wrong with it as a fact, in order of reading.
    pub fact_problems: Vec<facts::decode::Problem>,
}

/// What an object is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A policy that takes part.
    Policy,
    /// A policy that is refused as a whole.
    Rejected,
    /// A fact of the cluster.
    Fact,
    /// Something else; its problems say whether that matters.
    Other,
}

impl Object {
    /// Where a path inside the object stands in its document.
    pub fn path(&self, inner: &str) -> String {
        match (self.at.is_empty(), inner.is_empty()) {
            (true, _) => inner.to_owned(),
            (false, true) => self.at.clone(),
            (false, false) => format!("{}.{inner}", self.at),
        }
    }
}

/// `decode`: the objects of a file.
#[salsa::tracked(returns(clone))]
pub fn decoded(db: &dyn Db, file: SourceFile) -> Arc<Decoded> {
    ran(db, "decode", file);
    Arc::new(decoded_under(db, file, db.project().dialect(db)))
}

/// The objects of a file under a dialect that need not be that of the project: for questions about another reading. Kept nowhere.
pub fn decoded_under(db: &dyn Db, file: SourceFile, dialect: &Dialect) -> Decoded {
    // Why: whoever wants most trees anyway should not read every text twice.
    let tree = if db.keeps_trees() { tree(db, file) } else { Arc::new(read(db, file)) };
    let (mut policies, mut gateways, mut facts, mut objects) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let documents = tree.documents().iter().enumerate();
    let rooted = documents.filter_map(|(at, it)| Some((at, it.sound, it.root?)));
    // Rendered charts are full of documents without content; they are nothing, not something wrong.
    for (document, sound, root) in rooted.filter(|(.., root)| tree.value(*root) != Value::Null) {
        for decoded in kinds::decode(&tree, root, db.project().namespace(db), dialect) {
            let mut fact_problems = Vec::new();
            let role = match decoded.what {
                // Why: what recovery read of a broken text may say less, and so allow more, than was meant.
                What::Policy(_) | What::Gateway(_) if !sound => Role::Rejected,
                What::Gateway(policy) => {
                    gateways.push(Arc::new(policy));
                    Role::Other
                }
                What::Policy(mut policy) => {
                    // Policies are kept as long as their files.
                    policy.sections.iter_mut().for_each(|section| section.entries.shrink_to_fit());
                    policies.push(Arc::new(policy));
                    Role::Policy
                }
                What::Rejected => Role::Rejected,
                What::Fact(fact, problems) => {
                    facts.extend(fact);
                    fact_problems = problems;
                    Role::Fact
                }
                What::Other => Role::Other,
            };
            let (object, at, problems) = (decoded.object, decoded.at, decoded.problems);
            objects.push(Object { object, document, at, role, problems, fact_problems });
        }
    }
    Decoded { policies: policies.into(), gateways: gateways.into(), facts: facts.into(), objects: objects.into() }
}

/// The policies of egress gateways of a file.
pub fn gateways_of(db: &dyn Db, file: SourceFile) -> Arc<[Arc<GatewayPolicy>]> {
    decoded(db, file).gateways.clone()
}

/// The policies of a file. No query of its own: what a file says holds nothing that moves with its text, and each query a file costs an
/// edge that every edit follows.
pub fn policies_of(db: &dyn Db, file: SourceFile) -> Arc<[Arc<Policy>]> {
    decoded(db, file).policies.clone()
}

/// The cluster facts of a file.
pub fn facts_of(db: &dyn Db, file: SourceFile) -> Arc<[Fact]> {
    decoded(db, file).facts.clone()
}

/// The policies of other engines in a file, by their problems.
pub fn foreign_of(db: &dyn Db, file: SourceFile) -> Vec<(Engine, ObjectRef)> {
    let decoded = decoded(db, file);
    let engine = |object: &Object| {
        object.problems.iter().find_map(|problem| match problem.kind {
            ProblemKind::Foreign { engine } => Some(engine),
            _ => None,
        })
    };
    decoded.objects.iter().filter_map(|object| Some((engine(object)?, object.object.clone()))).collect()
}

/// The policies of other engines in a file, each with what it says: equal texts say the same. Without its status and what the API server
/// notes of it.
pub fn foreign_texts(db: &dyn Db, file: SourceFile) -> Vec<((Engine, ObjectRef), String)> {
    let foreign = foreign_of(db, file);
    if foreign.is_empty() {
        return Vec::new();
    }
    let (tree, decoded) = (tree(db, file), decoded(db, file));
    let said = |object: &Object| {
        let node = tree.find(tree.documents().get(object.document)?.root?, &object.at)?;
        let root = At::root(&tree, node);
        let metadata = root.get("metadata").map(|it| it.entries()).unwrap_or_default();
        let own = metadata.into_iter().filter(|(key, _)| ["labels", "annotations"].contains(&key.as_ref()));
        let parts = root.entries().into_iter().filter(|(key, _)| !["metadata", "status"].contains(&key.as_ref()));
        let mut parts: Vec<String> = parts.chain(own).map(|(key, it)| format!("{key}:{}", json(&it))).collect();
        parts.sort();
        Some(parts.join(","))
    };
    let text = |(engine, name): (Engine, ObjectRef)| {
        let object = decoded.objects.iter().rfind(|it| it.object == name);
        let text = object.and_then(said).unwrap_or_default();
        ((engine, name), text)
    };
    foreign.into_iter().map(text).collect()
}
