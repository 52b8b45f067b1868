//! Joins the arrows into one incremental database: the newcomer's table of contents.
//!
//! In: texts, a cluster snapshot, a dialect, a target.  Out: whatever stage is asked for, recomputed only where it must be.
//!
//! # Picture
//! ```text
//!  SourceFile ─parse─► tree ─decode─► objects ─┬─ policies ─► index ───────────┐
//!                                              └─ facts ─► cluster ─► peers ─► space
//!                                                              └──► classes    │
//!                             one per class:   bound ◄─── members ◄────────────┤
//!                                                │ resolve                     │
//!                                              rules ─► diagram ─► image       │
//! ```
//! # Does not know
//! Files, clocks, kernels, the words of a diagnostic.
//! # Laws
//! A comment re-runs `parse` and `decode` only. A pod that joins a known class stops at `space`. An edited policy re-runs the classes
//! that it selects only. Each has a `rerun` block in the suite. Where edits are expected ([`Database::expect_edits`]) the same holds from
//! the second edit of a namespace on, and no class elsewhere is so much as looked at.
//! # Reading order
//! [`database`], [`text`], [`world`], [`dialect`], [`meaning`], [`build`], [`locate`], [`shelf`], [`Database::expect_edits`], [`Stop`].

#![allow(
    missing_docs,
    reason = "the engine's macros make undocumented accessors; what is written by hand is documented"
)]

pub mod build;
pub mod database;
pub mod dialect;
pub mod locate;
pub mod meaning;
pub mod shelf;
mod steady;
mod stop;
pub mod text;
pub mod world;

pub use database::{Database, Ran, until_changed};
pub use dialect::{Because, Choice, Wish};
pub use inputs::{Bucket, Db, Heeded, Knowledge, Project, SourceFile};
pub use stop::Stop;
pub use world::foreign;
