//! Choices, fingerprints, origins and fixes, over whole texts.

mod context;
mod fingerprint;
mod mend;

use driver::Database;
use std::sync::Arc;

/// A database of these files: path and text.
fn project(files: &[(&str, &str)]) -> Database {
    let mut db = Database::new();
    db.set_files(files.iter().map(|(path, text)| (Arc::from(*path), Arc::from(*text))));
    db
}
