//! Reads corpora as the command line does, without files of its own.

use driver::{Database, Knowledge};
use replay::Tally;
use replay::read::{self, Format};
use std::path::Path;
use std::sync::Arc;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Counts a text.
pub fn tally(text: &str) -> Tally {
    let (format, skip) = Format::of(text.as_bytes()).unwrap();
    let mut tally = Tally::default();
    let blank: String = text[..skip].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    read::lines(&mut tally, &format, &Arc::from("flows"), 1, (blank + &text[skip..]).as_bytes());
    tally
}

/// A database of files of the repository, by path.
pub fn database(paths: &[&str], knowledge: Knowledge) -> Database {
    let mut db = Database::new();
    db.set_knowledge(knowledge);
    for path in paths {
        db.set_file(path, &text(path));
    }
    db
}

/// The same numbers on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}
