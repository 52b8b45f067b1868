//! Compares policies with what tests say of them, and says how much the tests see.
//!
//! In: the text of `PolicyTest` documents, and the manifests they speak of.  Out: [`Answer`]s, [`Coverage`], [`Score`].
//!
//! # Picture
//! ```text
//!  text ─read─► Suite ─┬─ database ─► Database ─┐
//!                      └─ compile ──► Claims ───┴─ ask ─► Answers ─┬─ coverage: rules that no case meets
//!                                                                  └─ score: changed policies that no case notices
//! ```
//! # Does not know
//! Files on disk, terminals, the words of a report.
//! # Laws
//! A verdict is that of `reason::trace`. Every mistake of a test is reported at its place, all in one run (`tests/decode.rs`). A mutant
//! is called equivalent only where every diagram is equal (`tests/mutants.rs`).
//! # Reading order
//! [`suite`], `read`, [`mod@compile`], [`mod@ask`], [`mod@coverage`], [`mutants`], [`mod@score`].

pub mod ask;
pub mod compile;
pub mod coverage;
pub mod mutants;
mod read;
mod reader;
pub mod score;
pub mod suite;

pub use ask::{Answer, Failure, ask};
pub use compile::{Claim, compile, database, wish};
pub use coverage::{Coverage, Covered, coverage};
pub use read::{FIELDS, read};
pub use score::{Fate, Score, score};
pub use suite::{Case, Expect, Problem, Spelt, Suite};
