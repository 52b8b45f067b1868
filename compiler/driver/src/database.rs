//! The database: inputs in, queries out.

use crate::stop::{Stop, Stopped};
use facts::Cluster;
use hir::Dialect;
use image::Target;
use inputs::{Bucket, Db, Heeded, Knowledge, Project, SourceFile};
use salsa::{Durability, Setter};
use source::FileId;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

/// How many files share a bucket. The edges that an edit follows are about `files / BUCKET + BUCKET`.
const BUCKET: usize = 100;

/// One execution of a query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ran {
    /// The query's name.
    pub query: &'static str,
    /// What it was asked of.
    pub key: String,
}

/// The incremental database. Clones share what is computed and may be used from other threads; no clone may be alive while an input
/// is set, or the setter waits for it.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    limits: Arc<(syntax::Limits, diagram::Limits)>,
    /// Whether trees are kept.
    trees: bool,
    log: Option<Arc<Mutex<Vec<Ran>>>>,
    project: Option<Project>,
    /// Whether [`inputs::Steady`] is kept: see [`Database::expect_edits`].
    pub(crate) edits: bool,
    stop: Stop,
    files: BTreeMap<Arc<str>, SourceFile>,
    free: Vec<SourceFile>,
    by_id: Vec<SourceFile>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn project(&self) -> Project {
        // Cannot panic: every constructor sets it before it returns.
        self.project.expect("the project is set before a database is handed out")
    }

    fn syntax_limits(&self) -> &syntax::Limits {
        &self.limits.0
    }

    fn diagram_limits(&self) -> &diagram::Limits {
        &self.limits.1
    }

    fn keeps_trees(&self) -> bool {
        self.trees
    }

    fn still_wanted(&self) {
        self.stop.check();
    }

    fn listens(&self) -> bool {
        self.log.is_some()
    }

    fn ran(&self, query: &'static str, key: &dyn Display) {
        if let Some(log) = &self.log {
            let mut log = log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            log.push(Ran { query, key: key.to_string() });
        }
    }
}

/// Asks a question that an edit may overtake: `None` where one did, or where it was stopped. Whoever sets an input waits until questions on
/// clones have noticed.
pub fn until_changed<T>(question: impl FnOnce() -> T) -> Option<T> {
    let asked = AssertUnwindSafe(|| salsa::Cancelled::catch(AssertUnwindSafe(question)));
    match catch_unwind(asked) {
        Ok(answer) => answer.ok(),
        Err(panic) if panic.is::<Stopped>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

impl Default for Database {
    fn default() -> Database {
        Database::new()
    }
}

impl Database {
    /// An empty project under the standard dialect.
    pub fn new() -> Database {
        let mut db = Database {
            storage: salsa::Storage::default(),
            limits: Arc::default(),
            trees: false,
            log: None,
            project: None,
            edits: false,
            stop: Stop::default(),
            files: BTreeMap::new(),
            free: Vec::new(),
            by_id: Vec::new(),
        };
        let project = Project::builder(
            Arc::from([]),
            Arc::new(Cluster::default()),
            &Dialect::STANDARD,
            Arc::from("default"),
            Target::default(),
            Knowledge::Complete,
            Heeded::All,
            Arc::from([]),
            true,
            None,
        )
        .durability(Durability::MEDIUM)
        // What a file says follows from these beside its text, and they change once, before anybody asks.
        .dialect_durability(Durability::HIGH)
        .namespace_durability(Durability::HIGH)
        .restless_durability(Durability::LOW)
        .new(&db);
        db.project = Some(project);
        db
    }

    /// An empty project that keeps the tree of each file that it decodes: for whoever asks for places in most of them, as checks do.
    pub fn keeping_trees() -> Database {
        Database { trees: true, ..Database::new() }
    }

    /// The same, asked as long as somebody wants the answers.
    pub fn with_stop(self, stop: Stop) -> Database {
        Database { stop, ..self }
    }

    /// What says whether answers are still wanted.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Sets the texts of many files at once; other files stay. Cost: one regrouping, however many files are new.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) {
        let mut regroup = false;
        for (path, text) in files {
            match self.files.get(&path).copied() {
                Some(file) => self.change(file, Some(text)),
                None => {
                    self.add(path, text);
                    regroup = true;
                }
            }
        }
        if regroup {
            self.regroup();
        }
        self.keep_steady();
    }

    /// Sets the text of one file and says its number.
    pub fn set_file(&mut self, path: &str, text: &str) -> FileId {
        self.set_files([(Arc::from(path), Arc::from(text))]);
        self.files[path].id(self)
    }

    /// Forgets a file; nothing happens when it is unknown.
    pub fn remove_file(&mut self, path: &str) {
        if let Some(file) = self.files.remove(path) {
            self.change(file, None);
            self.free.push(file);
            self.regroup();
            self.keep_steady();
        }
    }

    /// Sets the cluster snapshot that facts in files are added to.
    pub fn set_cluster(&mut self, cluster: Cluster) {
        let project = Db::project(self);
        if *project.cluster(self) != cluster {
            project.set_cluster(self).to(Arc::new(cluster));
            self.keep_steady();
        }
    }

    /// Sets the reading of the policy language.
    pub fn set_dialect(&mut self, dialect: &'static Dialect) {
        let project = Db::project(self);
        if project.dialect(self) != dialect {
            project.set_dialect(self).to(dialect);
            self.keep_steady();
        }
    }

    /// Sets the namespace of objects that name none.
    pub fn set_namespace(&mut self, namespace: &str) {
        let project = Db::project(self);
        if project.namespace(self) != namespace {
            project.set_namespace(self).to(Arc::from(namespace));
            self.keep_steady();
        }
    }

    /// Sets whether what was not read may exist.
    pub fn set_knowledge(&mut self, knowledge: Knowledge) {
        let project = Db::project(self);
        if project.knowledge(self) != knowledge {
            project.set_knowledge(self).to(knowledge);
        }
    }

    /// Sets the kinds of policies of which some may exist that could not be read.
    pub fn set_unread(&mut self, mut kinds: Vec<String>) {
        let project = Db::project(self);
        kinds.sort();
        if *project.unread(self) != *kinds {
            project.set_unread(self).to(Arc::from(kinds));
        }
    }

    /// Sets which facts of the texts count.
    pub fn set_heeded(&mut self, heeded: Heeded) {
        let project = Db::project(self);
        if project.heeded(self) != heeded {
            project.set_heeded(self).to(heeded);
            self.keep_steady();
        }
    }

    /// Sets the node that images are built for.
    pub fn set_target(&mut self, target: Target) {
        let project = Db::project(self);
        if project.target(self) != target {
            project.set_target(self).to(target);
        }
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = SourceFile> + '_ {
        self.files.values().copied()
    }

    /// The file of this number.
    pub fn file(&self, id: FileId) -> Option<SourceFile> {
        self.by_id.get(id.0 as usize).copied()
    }

    /// The file of this path.
    pub fn file_at(&self, path: &str) -> Option<SourceFile> {
        self.files.get(path).copied()
    }

    /// Starts to note which queries run.
    pub fn listen(&mut self) {
        self.log = Some(Arc::default());
    }

    /// What ran since the last call, sorted; empty when [`Database::listen`] was not called.
    pub fn take_log(&self) -> Vec<Ran> {
        let Some(log) = &self.log else { return Vec::new() };
        let mut ran = std::mem::take(&mut *log.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        ran.sort();
        ran
    }

    fn change(&mut self, file: SourceFile, text: Option<Arc<str>>) {
        if file.text(self) != text {
            // A file that changed once will change again. The others are steady: what follows from them alone is not looked at after an
            // edit of this one. The first edit of a steady file has all that is steady looked at once.
            file.set_text(self).with_durability(Durability::LOW).to(text);
        }
    }

    fn add(&mut self, path: Arc<str>, text: Arc<str>) {
        let file = match self.free.pop() {
            Some(file) => {
                file.set_path(self).to(path.clone());
                file.set_text(self).to(Some(text));
                file
            }
            None => {
                let id = FileId(self.by_id.len() as u32);
                let file = SourceFile::builder(id, path.clone(), Some(text)).durability(Durability::HIGH).new(self);
                self.by_id.push(file);
                file
            }
        };
        self.files.insert(path, file);
    }

    fn regroup(&mut self) {
        let project = Db::project(self);
        let files: Vec<SourceFile> = self.files.values().copied().collect();
        let mut buckets = project.buckets(self).to_vec();
        let groups: Vec<Arc<[SourceFile]>> = files.chunks(BUCKET).map(Arc::from).collect();
        for (at, group) in groups.iter().enumerate() {
            match buckets.get(at) {
                Some(bucket) if bucket.files(self) == *group => {}
                Some(bucket) => drop(bucket.set_files(self).to(group.clone())),
                None => buckets.push(Bucket::builder(group.clone()).durability(Durability::MEDIUM).new(self)),
            }
        }
        for bucket in &buckets[groups.len()..] {
            if !bucket.files(self).is_empty() {
                bucket.set_files(self).to(Arc::from([]));
            }
        }
        if project.buckets(self).len() != buckets.len() {
            project.set_buckets(self).to(Arc::from(buckets));
        }
    }
}
