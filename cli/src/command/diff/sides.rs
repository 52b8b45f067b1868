//! The two sides, read.

use super::left_out::LeftOut;
use super::{Diff, absent};
use crate::args::{Paths, Reading};
use crate::cluster::{self, ClusterEntry};
use crate::files::{self, Gathered, Manifest, Take, Unreadable};
use crate::git;
use crate::render::{self, say};
use crate::rendered::RenderArgs;
use crate::session;
use diag::Diagnostic;
use driver::{Because, Choice, Database, Knowledge, SourceFile, Wish};
use source::FileId;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// One side.
pub struct Side {
    /// As it was named.
    pub name: String,
    /// Everything that was read.
    pub db: Database,
    /// How policies are read, and why so.
    pub choice: Choice,
}

/// Everything that was read.
pub struct Read {
    /// Old and new.
    pub sides: [Side; 2],
    /// The cluster facts that were asked for; both sides have them.
    pub cluster: Option<ClusterEntry>,
    /// What was not read, so that the comparison may be wrong; each as a place and why.
    pub unread: Vec<String>,
    /// What the configuration keeps from being compared.
    pub left_out: LeftOut,
}

/// Reads both sides and what they share.
///
/// Errors: a side that is not there, or of which nothing can be read. What is unreadable beside that is said on standard error.
pub fn open(diff: &Diff) -> Result<Read, String> {
    if diff.old == "-" && diff.new == "-" {
        return Err("standard input can be one side only".into());
    }
    let (paths, take) = configured(diff)?;
    let (namespace, reading) = (paths.namespace(), &paths.reading);
    let shared = match diff.facts_from.is_empty() {
        true => Gathered::default(),
        false => files::read_with(&diff.facts_from, &take),
    };
    let known = cluster::known(&reading.cluster, namespace, false);
    known.entry.iter().flat_map(ClusterEntry::warnings).for_each(|it| say(&it));
    shared.empty.iter().for_each(|it| say(&format!("error: {it}")));
    let mut unread =
        [say_unreadable(&shared.unreadable), say_unreadable(&known.unreadable), shared.empty.clone()].concat();
    let partial = known.entry.as_ref().is_some_and(|it| !it.not_read.is_empty());
    let mut empty = Vec::new();
    let mut side = |name: &str, other: &str| -> Result<Database, String> {
        let own = match git::parts(name) {
            Some((revision, path)) => {
                let git::Taken { manifests, unreadable } = git::manifests_if_any(revision, path, &take)?;
                if manifests.is_empty() && unreadable.is_empty() {
                    absent::check(revision, path, other)?;
                }
                Gathered { manifests, unreadable, ..Gathered::default() }
            }
            None => {
                absent::check_here(name)?;
                files::read_with(&[name.to_owned()], &take)
            }
        };
        unread.extend(say_unreadable(&own.unreadable));
        if own.manifests.is_empty() && own.unreadable.is_empty() {
            empty.push(name.to_owned());
        }
        let mut db = Database::new();
        db.set_namespace(namespace);
        let text = |it: Manifest| (Arc::from(it.path), Arc::from(it.text));
        db.set_files(shared.manifests.iter().cloned().chain(own.manifests).map(text));
        db.set_cluster(known.cluster.clone());
        db.set_heeded(known.heeded);
        // Why: what could not be read of a cluster is not taken for absent, whatever was said.
        db.set_knowledge(if partial { Knowledge::Partial } else { reading.facts.into() });
        Ok(db)
    };
    let (mut old, mut new) = (side(&diff.old, &diff.new)?, side(&diff.new, &diff.old)?);
    // The first policies of a repository, and the last, are changes too.
    match &empty[..] {
        [one] => say(&format!("note: no manifests in `{one}`, so that side is taken for empty")),
        [_, _] => return Err(format!("no manifests in `{}` and none in `{}`", diff.old, diff.new)),
        _ => {}
    }
    let wishes = [&diff.old_dialect, &diff.new_dialect].map(|it| it.unwrap_or(reading.dialect));
    let mut choices = [old.settle_dialect(wishes[0]), new.settle_dialect(wishes[1])];
    // Why: where the facts of one side alone say who enforces, they say it of both.
    let silent = |at: usize| wishes[at] == Wish::Auto && choices[at].because == Because::NobodyEnforces;
    match (silent(0), silent(1)) {
        (true, false) if wishes[1] == Wish::Auto => choices[0] = choices[1].clone(),
        (false, true) if wishes[0] == Wish::Auto => choices[1] = choices[0].clone(),
        _ => {}
    }
    old.set_dialect(choices[0].dialect);
    new.set_dialect(choices[1].dialect);
    unread.extend(say_faults(&old, &new));
    let [before, after] = choices;
    let side = |name: &str, db, choice| Side { name: name.to_owned(), db, choice };
    let sides = [side(&diff.old, old, before), side(&diff.new, new, after)];
    let left_out = LeftOut::of(diff, &take)?;
    Ok(Read { sides, cluster: known.entry, unread, left_out })
}

/// How manifests are read: by flags, and by the configuration that is nearest to both sides; of a revision, to where its path is now.
fn configured(diff: &Diff) -> Result<(Paths, Take), String> {
    let here = |name: &String| match git::parts(name) {
        Some((_, path)) if Path::new(path).exists() => path.to_owned(),
        Some(_) => ".".to_owned(),
        None => name.clone(),
    };
    let meant = [here(&diff.old), here(&diff.new)];
    let (config, cluster, rendered) = (diff.config.clone(), diff.cluster.clone(), RenderArgs::default());
    let reading = Reading { dialect: diff.dialect, facts: diff.facts, config, rendered, cluster };
    let paths = Paths { paths: Vec::new(), filenames: Vec::new(), namespace: diff.namespace.clone(), reading };
    session::configured(&paths, &meant)
}

fn say_unreadable(unreadable: &[Unreadable]) -> Vec<String> {
    let one = |Unreadable { path, reason }: &Unreadable| {
        say(&format!("error: cannot read `{path}`: {reason}"));
        format!("{path}: {reason}")
    };
    unreadable.iter().map(one).collect()
}

/// How many faults are named.
const NAMED: usize = 20;

/// Says which texts of the new side that are not of the old one a cluster would refuse, and which of either side nobody can read: what is
/// lost by the first is no change that anybody wants, and what the others hold is not compared. Shape: those that nobody can read.
fn say_faults(old: &Database, new: &Database) -> Vec<String> {
    let texts = |db: &Database| -> BTreeSet<Arc<str>> { db.files().filter_map(|file| file.text(db)).collect() };
    let (before, after) = (texts(old), texts(new));
    let own = |db: &Database, other: &BTreeSet<Arc<str>>| -> BTreeSet<FileId> {
        let is_own = |file: &SourceFile| file.text(db).is_some_and(|text| !other.contains(&text));
        db.files().filter(is_own).map(|file| file.id(db)).collect()
    };
    let (of_old, of_new) = (own(old, &after), own(new, &before));
    let is_of = |files: &BTreeSet<FileId>, it: &Diagnostic| it.place().is_none_or(|label| files.contains(&label.file));
    let in_words = |db: &Database, it: &Diagnostic| render::concise(db, it).trim_end().to_owned();
    let (lost, others): (Vec<_>, Vec<_>) = session::faults(new).into_iter().partition(session::is_unread);
    let mut unread: Vec<String> = lost.iter().map(|it| in_words(new, it)).collect();
    // Why only then: what stands on both sides is said once.
    if !of_old.is_empty() {
        let lost = session::faults(old).into_iter().filter(|it| session::is_unread(it) && is_of(&of_old, it));
        unread.extend(lost.map(|it| in_words(old, &it)));
    }
    let refused: Vec<String> = others.iter().filter(|it| is_of(&of_new, it)).map(|it| in_words(new, it)).collect();
    for it in unread.iter().chain(&refused).take(NAMED) {
        say(&format!("warning: {it}"));
    }
    let more = (unread.len() + refused.len()).saturating_sub(NAMED);
    if more > 0 {
        say(&format!("warning: and {more} more; `tidegate check` lists them all"));
    }
    unread
}
