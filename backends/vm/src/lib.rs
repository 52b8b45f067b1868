//! Runs an image in user space: for tests, for replay, and for people without root.
//!
//! In: [`image::Image`], [`maps::NodeMaps`], a packet and its [`Context`].  Out: an [`Outcome`], or a [`Fault`].
//!
//! # Picture
//! ```text
//!  Image ──load──► Machine ──run(hook, packet, context)──► action
//!                    │  ▲
//!   own tables ◄─────┘  └── NodeMaps: connections, records and counters stay there between packets
//!
//!  Image ──tables::decide──► leaf          the same tables, without the program
//! ```
//! # Does not know
//! Policies, rules, the kernel's verifier, clocks: time is what the context says.
//! # Laws
//! An instruction means what the kernel's instruction set says (`tests/instructions.rs`, `tests/differential.rs`).
//! No program and no packet makes it panic, hang or touch memory that the program was not given: that is a fault, with the place
//! (`tests/faults.rs`).
//! # Reading order
//! [`instruction`], [`load`], [`alu`], [`space`], [`run`], [`helper`], then [`context`], [`tables`] and [`pair`].

pub mod alu;
pub mod context;
pub mod helper;
pub mod instruction;
pub mod load;
pub mod pair;
pub mod run;
pub mod space;
pub mod tables;

pub use context::Context;
pub use load::{LoadError, Machine};
pub use pair::Pair;
pub use run::{Fault, Outcome, Session, What};
