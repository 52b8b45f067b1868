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
//! `outline`, `cursor`, `shape`, `here`, `selectors`, then one file a feature: [`diagnostics`](fn@diagnostics), [`complete`](fn@complete),
//! [`hover`](fn@hover), `targets`, `ports`, `labelled`, `symbols`, `ranges`, `tokens`, `links`, `lenses`, `inlays`,
//! `actions`, `draft`, `convert`, `reshape`, `rename`, `services`, `effect`.

mod actions;
mod commands;
mod complete;
mod convert;
mod cursor;
mod diagnostics;
mod draft;
mod effect;
mod here;
mod hover;
mod inlays;
mod labelled;
mod lenses;
mod links;
mod outline;
mod ports;
mod ranges;
mod rename;
mod reshape;
mod selectors;
mod services;
mod shape;
mod symbols;
mod targets;
mod tokens;

pub use actions::{Action, ActionKind, actions, rewrites};
pub use commands::Command;
pub use complete::snippets::{SNIPPETS, Snippet};
pub use complete::{Item, ItemKind, complete};
pub use diagnostics::diagnostics;
pub use effect::{Effect, effect};
pub use hover::{Hover, hover};
pub use inlays::{Inlay, inlays};
pub use lenses::{Lens, lenses};
pub use links::{Link, links};
pub use ranges::{Fold, folds, selections};
pub use rename::{prepare_rename, rename};
pub use symbols::{Symbol, SymbolKind, symbols, workspace_symbols};
pub use targets::{Target, definition, references};
pub use tokens::{TokenKind, tokens};

use driver::SourceFile;

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: SourceFile,
    /// How many bytes stand before it. One that is inside a character or behind the end means the nearest before it.
    pub offset: u32,
}
