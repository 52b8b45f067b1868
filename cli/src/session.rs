//! A database filled from the PATH arguments of a command.

use crate::args::{Color, Paths};
use crate::cluster::{self, ClusterEntry};
use crate::config;
use crate::files::{self, Unreadable};
use crate::render::{self, count, say};
use crate::report::NotOnNode;
use checks::Group;
use diag::{Diagnostic, Severity};
use driver::text::{self, Role};
use driver::{Choice, Database, Knowledge, Wish};
use hir::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a command works on.
pub struct Session {
    /// Everything that was read.
    pub db: Database,
    /// How policies are read, and why so.
    pub choice: Choice,
    /// The reading that was asked for, by a flag or by the configuration.
    pub wish: Wish,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Of each path that holds no manifest at all, what to say of it.
    pub empty: Vec<String>,
    /// The cluster facts that were asked for, or the snapshot that stands among the paths; `None` for neither.
    pub cluster: Option<ClusterEntry>,
}

/// Findings that are no errors, and because of which an answer may be another than the files seem to say.
const TELLING: [&str; 4] = ["unknown-field", "misspelt-fact-field", "unreadable-setting", "setting-of-some-nodes"];

/// How many findings are listed beside an answer.
const LISTED: usize = 20;

/// Reads all manifests that the arguments name and what is known of the cluster, and says on standard error which paths hold none, what
/// of the cluster could not be read, and that it is old.
///
/// Errors: for people, every fault of the configuration.
pub fn open(paths: &Paths) -> Result<Session, String> {
    open_for(paths, &paths.all())
}

/// The same with the configuration of other paths: those that are meant where the paths only stand in for them.
pub fn open_for(paths: &Paths, meant: &[String]) -> Result<Session, String> {
    let (paths, take) = configured(paths, meant)?;
    Ok(open_with(&paths, &take))
}

/// What a command reads with what the configuration of some paths says of it, and what is taken of it.
///
/// Errors: for people, every fault of the configuration.
pub fn configured(paths: &Paths, meant: &[String]) -> Result<(Paths, files::Take), String> {
    let args = &paths.reading.config;
    let loaded = config::load(meant, &args.config, args.isolated).map_err(|all| all.join("\n  "))?;
    let mut faults = Vec::new();
    let found = config::reading(paths, &loaded, &[], &mut faults);
    if faults.is_empty() { Ok(found) } else { Err(faults.join("\n  ")) }
}

/// The same of what is to be taken of them, where the configuration was heeded already.
pub fn open_with(paths: &Paths, take: &files::Take) -> Session {
    let args = &paths.reading.cluster;
    let mut known = cluster::known(args, paths.namespace(), paths.is_empty());
    // Why: who names no files and has a cluster's own policies asks about the cluster.
    let of_cluster = is_live(paths) || paths.is_empty() && !known.policies.is_empty();
    let policies = std::mem::take(&mut known.policies);
    let files::Gathered { mut manifests, mut unreadable, empty } = match of_cluster {
        true => files::Gathered { manifests: policies, ..files::Gathered::default() },
        false => files::read_with(&paths.all(), take),
    };
    let (rendered, failed) = paths.reading.rendered.read();
    manifests.extend(rendered);
    unreadable.extend(failed);
    empty.iter().for_each(|it| say(&format!("error: {it}")));
    let entry = known.entry.or_else(|| cluster::stands_in(&manifests, args));
    entry.iter().flat_map(ClusterEntry::warnings).for_each(|it| say(&it));
    unreadable.extend(known.unreadable);
    let mut db = Database::keeping_trees();
    db.set_namespace(paths.namespace());
    db.set_files(manifests.into_iter().map(|it| (Arc::from(it.path), Arc::from(it.text))));
    db.set_cluster(known.cluster);
    db.set_heeded(known.heeded);
    // Why only then: policies of files are all there are, whatever the cluster has.
    let unread = entry.iter().filter(|_| of_cluster).flat_map(|it| &it.not_read);
    db.set_unread(unread.filter(|it| cluster::is_policy(&it.resource)).map(|it| it.resource.clone()).collect());
    db.set_knowledge(knowledge(paths, entry.as_ref()));
    let choice = db.settle_dialect(paths.reading.dialect);
    let wish = paths.reading.dialect;
    Session { db, choice, wish, unreadable, empty, cluster: entry }
}

/// Whether the question is about the policies of the live cluster, even where it gave none.
fn is_live(paths: &Paths) -> bool {
    paths.is_empty() && paths.reading.cluster.cluster == Some(cluster::Source::Live)
}

/// How much of the cluster was read: never all of it where something could not be.
fn knowledge(paths: &Paths, entry: Option<&ClusterEntry>) -> Knowledge {
    let asked = paths.reading.facts.into();
    if asked == Knowledge::Complete && entry.is_some_and(|it| !it.not_read.is_empty()) {
        say("warning: `--facts all` is not so: a part of the cluster was not read, and is not taken for absent");
        return Knowledge::Partial;
    }
    asked
}

/// Errors of texts that a cluster would refuse, or that nobody can read.
pub fn faults(db: &Database) -> Vec<Diagnostic> {
    let found = checks::check(db).into_iter().filter(|it| it.severity == Severity::Error);
    found.filter(|it| checks::explain(it.slug).is_some_and(|page| page.group == Group::Validity)).collect()
}

/// Whether, by a fault, a text or a part of it says nothing that an answer could heed.
pub fn is_unread(fault: &Diagnostic) -> bool {
    ["not-yaml", "tab-indentation", "broken-reference", "unrendered-template", "yaml-limit"].contains(&fault.slug)
}

/// Reads the name of a dialect.
///
/// Errors: for clap, with every name that is known.
pub fn dialect(name: &str) -> Result<Wish, String> {
    if name == "auto" {
        return Ok(Wish::Auto);
    }
    Dialect::named(name).map(Wish::Named).ok_or_else(|| {
        let known: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name).collect();
        format!("no such dialect; known: auto, {}, and cilium for the newest of Cilium", known.join(", "))
    })
}

impl Session {
    /// What is in a database already, of which nothing more is to be read.
    pub fn over(db: Database, choice: Choice, wish: Wish) -> Session {
        Session { db, choice, wish, unreadable: Vec::new(), empty: Vec::new(), cluster: None }
    }

    /// Reads again: what changed is changed in the same database, what is gone is forgotten. Says whether anything is another.
    pub fn refresh(&mut self, paths: &Paths, take: &files::Take) -> bool {
        let files::Gathered { manifests, unreadable, empty } = files::read_with(&paths.all(), take);
        let before: BTreeMap<String, Option<Arc<str>>> =
            self.db.files().map(|file| (file.path(&self.db).to_owned(), file.text(&self.db))).collect();
        let now: BTreeSet<&str> = manifests.iter().map(|it| it.path.as_str()).collect();
        let gone: Vec<String> = before.keys().filter(|path| !now.contains(path.as_str())).cloned().collect();
        let same = |it: &files::Manifest| matches!(before.get(&it.path), Some(Some(text)) if **text == *it.text);
        let changed = !gone.is_empty() || !manifests.iter().all(same) || unreadable != self.unreadable;
        gone.iter().for_each(|path| self.db.remove_file(path));
        self.db.set_files(manifests.into_iter().map(|it| (Arc::from(it.path), Arc::from(it.text))));
        self.choice = self.db.settle_dialect(paths.reading.dialect);
        (self.unreadable, self.empty) = (unreadable, empty);
        changed
    }

    /// Says on standard error what could not be read and which findings may make an answer differ from what the files seem to say.
    /// `true` when an answer may be wrong because something was not read.
    pub fn report_unsound(&self) -> bool {
        for it in &self.unreadable {
            say(&format!("error: cannot read `{}`: {}", it.path, it.reason));
            it.way_out().iter().for_each(|way| say(&format!("  {way}")));
        }
        let found = checks::check(&self.db);
        let telling = |it: &&Diagnostic| it.severity == Severity::Error || TELLING.contains(&it.slug);
        let telling: Vec<&Diagnostic> = found.iter().filter(telling).collect();
        for it in telling.iter().take(LISTED) {
            say(&format!("warning: {}", render::concise(&self.db, it).trim_end()));
        }
        self.say_refused();
        let unread = found.iter().any(is_unread);
        if !telling.is_empty() {
            let many = count(telling.len(), "finding makes", "findings make");
            say(&format!("warning: {many} these files mean other than they seem to; `tidegate check` says more"));
        }
        unread || !self.unread().is_empty()
    }

    /// What could not be read, each as a path and why.
    pub fn unread(&self) -> Vec<String> {
        let unreadable = self.unreadable.iter().map(|it| format!("{}: {}", it.path, it.reason));
        unreadable.chain(self.empty.iter().cloned()).collect()
    }

    /// What nodes of this build cannot enforce.
    pub fn not_on_node(&self) -> NotOnNode {
        let all: Vec<Diagnostic> = checks::check(&self.db).into_iter().chain(checks::for_node(&self.db)).collect();
        NotOnNode::of(&all)
    }

    /// Names the policies that take no part.
    fn say_refused(&self) {
        let refused = self.db.files().flat_map(|file| {
            let objects = text::decoded(&self.db, file).objects.clone();
            let refused = objects.iter().filter(|object| object.role == Role::Rejected);
            refused.map(|object| format!("  {} in {}", object.object, file.path(&self.db))).collect::<Vec<_>>()
        });
        let refused: Vec<String> = refused.collect();
        if !refused.is_empty() {
            say(&format!("warning: a cluster refuses {} of these policies, so they take no part", refused.len()));
            refused.iter().for_each(|it| say(it));
        }
    }

    /// Draws everything that forbids making programs of the files, and says whether there is anything; `what` is what then does not happen.
    ///
    /// That is every error that makes a text invalid. What is not enforced yet fails closed, so a program may hold it; what is valid and
    /// hardly meant is for `check`.
    pub fn refused(&self, what: &str, color: Color) -> bool {
        let unreadable = self.unreadable.iter().map(Unreadable::diagnostic);
        let found: Vec<Diagnostic> = unreadable.chain(checks::check(&self.db)).collect();
        let (errors, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.severity == Severity::Error);
        let group = |it: &Diagnostic| checks::explain(it.slug).map_or(Group::Validity, |page| page.group);
        let (errors, valid): (Vec<_>, Vec<_>) = errors.into_iter().partition(|it| group(it) == Group::Validity);
        let (closed, doubtful): (Vec<_>, Vec<_>) = valid.into_iter().partition(|it| group(it) == Group::Reach);
        render::draw(&self.db, &errors, color);
        if !errors.is_empty() {
            say(&format!("error: {what}, because of {}", count(errors.len(), "error", "errors")));
            return true;
        }
        if !self.empty.is_empty() {
            say(&format!("error: {what}"));
            return true;
        }
        if !closed.is_empty() {
            let parts = count(closed.len(), "part of a policy is", "parts of policies are");
            say(&format!(
                "warning: {parts} not enforced yet; `tidegate check --target node` says which, and what follows"
            ));
        }
        let warnings = others.iter().filter(|it| it.severity == Severity::Warning).count() + doubtful.len();
        if warnings > 0 {
            say(&format!("note: `tidegate check` has {} for these files", count(warnings, "finding", "findings")));
        }
        false
    }
}
