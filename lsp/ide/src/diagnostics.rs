//! What is wrong with one file, in the words of `check`.

use checks::suppress::{self, Rules};
use diag::Diagnostic;
use driver::{Database, SourceFile};

/// What `tidegate check` says with its first place in a file, in the order of places, less what the file asks not to be told.
pub fn diagnostics(db: &Database, file: SourceFile, rules: &Rules) -> Vec<Diagnostic> {
    let found = checks::check_file(db, file);
    suppress::apply_to(db, file, found, rules).kept
}
