//! What is said, where, and in which order.

mod corpus;
mod findings;
mod fixes;
mod meant;
mod order;
mod pages;
mod quiet;
mod robust;
mod suppress;
mod surplus;

use diag::Diagnostic;
use driver::Database;
use std::sync::Arc;

/// A project of these files: path and text.
fn project(files: &[(&str, &str)]) -> Database {
    let mut db = Database::new();
    db.set_files(files.iter().map(|(path, text)| (Arc::from(*path), Arc::from(*text))));
    db
}

/// What is said of one text.
fn said_of(text: &str) -> Vec<Diagnostic> {
    checks::check(&project(&[("policy.yaml", text)]))
}

/// The same beside what nodes of this build cannot enforce.
fn said_for_node(text: &str) -> Vec<Diagnostic> {
    let db = project(&[("policy.yaml", text)]);
    checks::check(&db).into_iter().chain(checks::for_node(&db)).collect()
}

/// Code and headline of each, one a line.
fn lines(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(|said| format!("{} {}", said.code, said.headline)).collect()
}

/// The codes alone.
fn codes(found: &[Diagnostic]) -> Vec<u16> {
    found.iter().map(|said| said.code.0).collect()
}

/// The text that the first place of a diagnostic marks.
fn marked<'t>(said: &Diagnostic, text: &'t str) -> &'t str {
    said.place().map_or("", |label| label.span.slice(text))
}
