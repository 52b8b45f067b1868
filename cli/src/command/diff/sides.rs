//! The two sides, read.

use super::{Diff, revision};
use crate::files::{self, Gathered, Manifest, Unreadable};
use crate::render::say;
use driver::{Because, Choice, Database, Wish};
use std::sync::Arc;

/// One side.
pub struct Side {
    /// As it was named.
    pub name: String,
    /// Everything that was read.
    pub db: Database,
    /// How policies are read, and why so.
    pub choice: Choice,
    unsound: bool,
}

impl Side {
    /// Whether something was not read, so that the comparison may be wrong.
    pub fn is_unsound(&self) -> bool {
        self.unsound
    }
}

/// Reads both sides and what they share.
///
/// Errors: a side of which nothing can be read. What is unreadable beside that is said on standard error.
pub fn open(diff: &Diff) -> Result<[Side; 2], String> {
    if diff.old == "-" && diff.new == "-" {
        return Err("standard input can be one side only".into());
    }
    let shared = match diff.facts_from.is_empty() {
        true => Gathered::default(),
        false => files::read(&diff.facts_from),
    };
    let mut unsound = say_unreadable(&shared);
    let mut side = |name: &str| -> Result<(Database, bool), String> {
        let own = match revision::parts(name) {
            Some((revision, path)) => Gathered { manifests: revision::read(revision, path)?, ..Gathered::default() },
            None => files::read(&[name.to_owned()]),
        };
        let bad = say_unreadable(&own) || !own.empty.is_empty();
        own.empty.iter().for_each(|it| say(&format!("error: {it}")));
        let mut db = Database::new();
        db.set_namespace(&diff.namespace);
        let text = |it: Manifest| (Arc::from(it.path), Arc::from(it.text));
        db.set_files(shared.manifests.iter().cloned().chain(own.manifests).map(text));
        db.set_knowledge(diff.facts.into());
        unsound |= bad;
        Ok((db, bad))
    };
    let ((mut old, _), (mut new, _)) = (side(&diff.old)?, side(&diff.new)?);
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
    let [before, after] = choices;
    let side = |name: &str, db, choice| Side { name: name.to_owned(), db, choice, unsound };
    Ok([side(&diff.old, old, before), side(&diff.new, new, after)])
}

fn say_unreadable(read: &Gathered) -> bool {
    for Unreadable { path, reason } in &read.unreadable {
        say(&format!("error: cannot read `{path}`: {reason}"));
    }
    !read.unreadable.is_empty()
}
