//! Fuzzes the compiler on stable Rust: random texts that follow the schemas and then do not, and what has to hold of any text.
//!
//! In: a target, a seed.  Out: counts, and each failure with a minimised text.
//!
//! # Picture
//! ```text
//!  seed, number ─generate─► text ─check─► holds, or not ──┐
//!  regressions/*.yaml ───────▲                            │
//!                            └──────────── minimise ◄─────┘
//!  watch: a worker process a target; a case that overflows the stack, exhausts memory or hangs ends the worker, not the run
//! ```
//! A case is a text and nothing else, whatever the target, so that one minimiser, one kind of file and one way to run a case again
//! serve all. That is why generators are written by hand here: a library's shrinking works on its own choices, and what is kept
//! would depend on the generator. Feedback from coverage needs a nightly compiler.
//!
//! # Does not know
//! Which answer is right: oracle and diagram judge each other, and a cluster is compared with itself.
//! # Laws
//! A case depends on seed and number alone, and its outcome on its text alone (`random::tests`); regressions stay mended
//! (`tests/replay.rs`).
//! # Reading order
//! [`target`], [`case`](mod@case), [`generate`], [`mutate`], [`value`], [`style`], [`answers`], then [`worker`], [`watch`], [`minimise`].

pub mod answers;
pub mod case;
pub mod generate;
pub mod minimise;
pub mod mutate;
pub mod random;
pub mod style;
pub mod target;
pub mod value;
pub mod watch;
pub mod worker;

pub use target::Target;
pub use watch::{Failure, Options, Summary, run};
