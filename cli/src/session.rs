//! A database filled from the PATH arguments of a command.

use crate::args::Paths;
use crate::files::{self, Unreadable};
use driver::Database;
use driver::text::{self, Role};
use hir::Dialect;
use std::sync::Arc;

/// What a command works on.
pub struct Session {
    /// Everything that was read.
    pub db: Database,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// Reads all manifests that the arguments name.
pub fn open(paths: &Paths) -> Session {
    let (manifests, unreadable) = files::read(&paths.all());
    let mut db = Database::new();
    db.set_dialect(paths.dialect);
    db.set_namespace(&paths.namespace);
    db.set_files(manifests.into_iter().map(|it| (Arc::from(it.path), Arc::from(it.text))));
    Session { db, unreadable }
}

/// Reads the name of a dialect.
///
/// Errors: for clap, with every name that is known.
pub fn dialect(name: &str) -> Result<&'static Dialect, String> {
    Dialect::named(name).ok_or_else(|| {
        let known: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name).collect();
        format!("no such dialect; known: {}, and cilium for the newest of Cilium", known.join(", "))
    })
}

impl Session {
    /// Says on standard error what could not be read and which policies take no part. `true` when an answer may be wrong because of it.
    pub fn report_unsound(&self) -> bool {
        for it in &self.unreadable {
            eprintln!("error: cannot read `{}`: {}", it.path, it.reason);
        }
        let refused: Vec<String> = self
            .db
            .files()
            .flat_map(|file| {
                let objects = text::decoded(&self.db, file).objects.clone();
                let refused = objects.iter().filter(|object| object.role == Role::Rejected);
                refused.map(|object| format!("{} in {}", object.object, file.path(&self.db))).collect::<Vec<_>>()
            })
            .collect();
        if !refused.is_empty() {
            eprintln!(
                "warning: a cluster refuses {} of these policies, so they take no part; `tidegate check` says why",
                refused.len()
            );
            refused.iter().for_each(|it| eprintln!("  {it}"));
        }
        !self.unreadable.is_empty()
    }
}
