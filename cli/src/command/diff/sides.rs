//! The two sides, read.

use super::{Diff, absent};
use crate::cluster::{self, ClusterEntry};
use crate::files::{self, Gathered, Manifest, Unreadable};
use crate::git;
use crate::render::{self, say};
use checks::Group;
use diag::{Diagnostic, Severity};
use driver::{Because, Choice, Database, Knowledge, SourceFile, Wish};
use source::FileId;
use std::collections::BTreeSet;
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
}

/// Reads both sides and what they share.
///
/// Errors: a side that is not there, or of which nothing can be read. What is unreadable beside that is said on standard error.
pub fn open(diff: &Diff) -> Result<Read, String> {
    if diff.old == "-" && diff.new == "-" {
        return Err("standard input can be one side only".into());
    }
    let shared = match diff.facts_from.is_empty() {
        true => Gathered::default(),
        false => files::read(&diff.facts_from),
    };
    let known = cluster::known(&diff.cluster, &diff.namespace, false);
    known.entry.iter().flat_map(ClusterEntry::warnings).for_each(|it| say(&it));
    shared.empty.iter().for_each(|it| say(&format!("error: {it}")));
    let mut unread =
        [say_unreadable(&shared.unreadable), say_unreadable(&known.unreadable), shared.empty.clone()].concat();
    let partial = known.entry.as_ref().is_some_and(|it| !it.not_read.is_empty());
    let mut empty = Vec::new();
    let mut side = |name: &str, other: &str| -> Result<Database, String> {
        let own = match git::parts(name) {
            Some((revision, path)) => {
                let manifests = git::manifests_if_any(revision, path)?;
                if manifests.is_empty() {
                    absent::check(revision, path, other)?;
                }
                Gathered { manifests, ..Gathered::default() }
            }
            None => {
                absent::check_here(name)?;
                files::read(&[name.to_owned()])
            }
        };
        unread.extend(say_unreadable(&own.unreadable));
        if own.manifests.is_empty() && own.unreadable.is_empty() {
            empty.push(name.to_owned());
        }
        let mut db = Database::new();
        db.set_namespace(&diff.namespace);
        let text = |it: Manifest| (Arc::from(it.path), Arc::from(it.text));
        db.set_files(shared.manifests.iter().cloned().chain(own.manifests).map(text));
        db.set_cluster(known.cluster.clone());
        db.set_heeded(known.heeded);
        // Why: what could not be read of a cluster is not taken for absent, whatever was said.
        db.set_knowledge(if partial { Knowledge::Partial } else { diff.facts.into() });
        Ok(db)
    };
    let (mut old, mut new) = (side(&diff.old, &diff.new)?, side(&diff.new, &diff.old)?);
    // The first policies of a repository, and the last, are changes too.
    match &empty[..] {
        [one] => say(&format!("note: no manifests in `{one}`, so that side is taken for empty")),
        [_, _] => return Err(format!("no manifests in `{}` and none in `{}`", diff.old, diff.new)),
        _ => {}
    }
    let wishes = [diff.old_dialect.unwrap_or(diff.dialect), diff.new_dialect.unwrap_or(diff.dialect)];
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
    Ok(Read { sides, cluster: known.entry, unread })
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

/// Says which texts of the new side that are not of the old one a cluster would refuse or nobody can read: what is lost that way is no
/// change that anybody wants. Those by which a part could not be read at all.
fn say_faults(old: &Database, new: &Database) -> Vec<String> {
    let before: BTreeSet<Arc<str>> = old.files().filter_map(|file| file.text(old)).collect();
    let is_new = |file: &SourceFile| file.text(new).is_some_and(|text| !before.contains(&text));
    let changed: BTreeSet<FileId> = new.files().filter(is_new).map(|file| file.id(new)).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let is_fault = |it: &Diagnostic| {
        let refused = it.severity == Severity::Error
            && checks::explain(it.slug).is_some_and(|page| page.group == Group::Validity);
        refused && it.place().is_some_and(|label| changed.contains(&label.file))
    };
    let faults: Vec<Diagnostic> = checks::check(new).into_iter().filter(is_fault).collect();
    for it in faults.iter().take(NAMED) {
        say(&format!("warning: {}", render::concise(new, it).trim_end()));
    }
    if faults.len() > NAMED {
        say(&format!("warning: and {} more; `tidegate check` lists them all", faults.len() - NAMED));
    }
    let unreadable = faults.iter().filter(|it| UNREADABLE.contains(&it.slug));
    unreadable.map(|it| render::concise(new, it).trim_end().to_owned()).collect()
}

/// Faults by which a text, or a part of it, says nothing that can be compared.
const UNREADABLE: [&str; 5] = ["not-yaml", "tab-indentation", "broken-reference", "unrendered-template", "yaml-limit"];
