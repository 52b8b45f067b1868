//! Rehearses a cluster's policies on this machine: its pods as namespaces, the compiled programs on their links, real packets.
//!
//! In: a `driver` database.  Out: what the oracle expects of every pair, beside what was observed.
//!
//! # Picture
//! ```text
//!  cluster ─spec─► lab topology ─► Stage ─enforce─► programs attached
//!     │                              │
//!     └─pairs─► questions ─expect─► oracle's answer ══ compared with ══ probe's answer
//! ```
//! # Does not know
//! Terminals, signals, where the database came from.
//! # Laws
//! What is expected never comes from an image. Without programs, or with a wrong one, the comparison fails (`tests/stage.rs`).
//! # Reading order
//! [`spec`], [`pairs`], [`expect`], [`stage`], [`user_space`], [`packets`]; [`soak`] stands on all of them.

pub mod expect;
pub mod packets;
pub mod pairs;
pub mod soak;
pub mod spec;
pub mod stage;
pub mod user_space;

pub use expect::{Expected, Judge, Side};
pub use packets::{Conversations, Player, Talk};
pub use pairs::{Question, Sample, questions};
pub use stage::{Answer, Error, Fault, Stage};
pub use user_space::in_user_space;
