//! Parses YAML and JSON text into a lossless tree in which every key and value has its bytes.
//!
//! In: text and [`Limits`].  Out: [`Tree`], always, with [`Problem`]s.
//!
//! # Picture
//! ```text
//!  text ──chunks──► one document each ──events──► build ──► Tree { nodes, entries, comments, problems }
//!                 │      ▲    ▲           │ error
//!                 └─quick─┴────┼── the common case, without the parser
//!                        └── recover ◄────┘   blanks the line to blame and reads again
//! ```
//! # Does not know
//! Kubernetes, salsa, files, what a key means.
//! # Laws
//! Parsing never fails and never panics; spans lie on character boundaries (`tests/syntax/random.rs`).
//! Scalars mean what the API server's reader takes them for (`tests/syntax/scalars.rs`).
//! A broken document costs its neighbours nothing (`tests/syntax/recovery.rs`).
//! # Reading order
//! [`tree`], [`problem`], [`limits`], then `scalar` (what a plain scalar means), `event` (the seam
//! to the parser), `build`, `chunks`, `recover`, `template`, and [`path`].

mod build;
mod chunks;
mod event;
pub mod limits;
pub mod path;
pub mod problem;
mod quick;
mod recover;
mod scalar;
mod template;
pub mod tree;

pub use limits::Limits;
pub use path::Deepest;
pub use problem::{Problem, ProblemKind};
pub use tree::{Comment, Document, Entry, NodeId, ScalarStyle, Tree, Value};

/// Reads `text` as a stream of YAML documents (JSON is YAML).
///
/// Never fails: what cannot be read becomes a [`Problem`], and the rest is read all the same.
/// Cost: linear in the text, also for broken and for hostile text.
#[must_use]
pub fn parse(text: &str, limits: &Limits) -> Tree {
    recover::parse(text, limits, true)
}

/// As [`parse`], by the parser alone: for tests, to which both must be one.
#[doc(hidden)]
#[must_use]
pub fn parse_carefully(text: &str, limits: &Limits) -> Tree {
    recover::parse(text, limits, false)
}
