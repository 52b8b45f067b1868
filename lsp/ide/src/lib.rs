//! Says what an editor shows of policies: pure functions over bytes of texts, one file a feature.
//!
//! In: a `driver` database and [`At`], a file and an offset.  Out: plain values: places are bytes, words are Markdown.
//!
//! # Picture
//! ```text
//!  text ─cursor─► object, path, word ─shape─► what the schema says ──► complete
//!  tree ─here───► object, path, node ───────► what the crates of the command line say ──► hover, …
//! ```
//! # Does not know
//! The protocol of language servers, JSON, files, clocks. What policies mean: every word is that of `checks`, `kinds` and `reason`.
//! # Laws
//! No feature panics, whatever the text and the offset (`tests/ide/random.rs`). Nothing outside the document around the cursor counts for
//! what its object is.
//! # Reading order
//! `outline`, `cursor`, `shape`, `here`, then one file a feature: [`diagnostics`](fn@diagnostics), [`complete`](fn@complete), [`hover`](fn@hover).

mod complete;
mod cursor;
mod diagnostics;
mod here;
mod hover;
mod outline;
mod shape;

pub use complete::snippets::{SNIPPETS, Snippet};
pub use complete::{Item, ItemKind, complete};
pub use diagnostics::diagnostics;
pub use hover::{Hover, hover};

use driver::SourceFile;

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: SourceFile,
    /// How many bytes stand before it. One that is inside a character or behind the end means the nearest before it.
    pub offset: u32,
}
