//! Finds and words what is wrong with policies: one folder per code, with its page.
//!
//! In: a `driver` database.  Out: `diag::Diagnostic`s, in the order of files and places.
//!
//! # Picture
//! ```text
//!  syntax problems ─┐
//!  kinds problems  ─┼─ stages ─► the folder of a code ─ words, place, fix ─► Diagnostic ─► command line, editor, webhook
//!  facts problems  ─┘                    ▲
//!  policies, cluster facts ─ find ───────┘
//! ```
//! # Does not know
//! Files, terminals, JSON, what a packet is.
//! # Laws
//! Every problem of every stage has a code (the matches of [`stages`] have no wildcard). Failing text of a page raises its code, fixed
//! text raises nothing (`tests/checks/pages.rs`). Output depends on content only (`tests/checks/order.rs`).
//! # Reading order
//! [`page`], `place`, `stages`, then one folder, such as `tg0015_unknown_field`.

pub mod page;
mod place;
mod stages;
mod words;

pub use page::Page;

use diag::Diagnostic;
use driver::{Db, SourceFile};

use place::Text;

macro_rules! checks {
    ($(mod $folder:ident;)*) => {
        $(mod $folder;)*

        /// Every code, ascending.
        pub const REGISTRY: &[&Page] = &[$(&$folder::PAGE),*];
    };
}

checks! {
    mod tg0004_duplicate_key;
    mod tg0015_unknown_field;
    mod tg0017_wrong_type;
}

/// Everything worth saying of all files.
///
/// Shape: by the path of the file, then by place; without duplicates. Cost: linear in the text and in the cluster.
pub fn check(db: &dyn Db) -> Vec<Diagnostic> {
    files(db).into_iter().flat_map(|file| check_file(db, file)).collect()
}

/// Everything worth saying of one file: what [`check`] says with its first place there.
pub fn check_file(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let text = Text::new(db, file);
    let mut found = stages::render(&text);
    found.sort();
    found.dedup();
    found
}

/// The page of a code (`TG0012`, in either case) or of a slug (`selector-matches-nothing`); `None` when there is none.
pub fn explain(name: &str) -> Option<&'static Page> {
    let code = name.parse().ok();
    REGISTRY.iter().copied().find(|page| Some(page.code) == code || page.slug == name)
}

/// All files, by path.
fn files(db: &dyn Db) -> Vec<SourceFile> {
    let buckets = db.project().buckets(db);
    let mut files: Vec<SourceFile> = buckets.iter().flat_map(|bucket| bucket.files(db).to_vec()).collect();
    files.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    files
}
