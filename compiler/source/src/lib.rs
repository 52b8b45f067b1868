//! Names places in texts: files by number, spans by byte, positions by line and column.
//!
//! In: text, already read by somebody else.  Out: [`FileId`], [`Span`], [`LineIndex`].
//!
//! # Picture
//! ```text
//!  text ──►  LineIndex  ──►  position(offset) = line, column in bytes, chars and UTF-16 units
//!             Span = [start, end) in bytes          offset(line, column)
//! ```
//! # Does not know
//! Paths, the file system, YAML. It opens no file.
//! # Laws
//! `offset(position(o)) == o` on every character boundary (`lines::tests`).
//! # Reading order
//! [`span`], then [`lines`].

pub mod lines;
pub mod span;

pub use lines::{LineIndex, Position};
pub use span::{FileId, Span};
