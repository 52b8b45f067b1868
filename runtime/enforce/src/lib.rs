//! Keeps one node's kernel equal to what the database says: images, classes, addresses, endpoints, in an order that never opens.
//!
//! In: a `driver` database, the endpoints of a node.  Out: programs attached through `loader`, and explained records.
//!
//! # Picture
//! ```text
//!            prepare                      narrow                        widen
//!  database ─────────► loaded images ───► addresses, old ∧ new ───────► new images
//!            (nothing live is touched)    (nothing passes that          (what both allow
//!                                          neither would pass)           passed all the time)
//! ```
//! # Does not know
//! Where endpoints come from, files, clocks, the API server.
//! # Laws
//! A peer keeps its number; between two policies a hook enforces one of: old, old ∧ new, new (`tests` of the lab).
//! On any failure of `prepare` nothing live has changed. No image is loaded that is not proved (`tests/proof.rs`). The node itself is judged only where policies of nodes are asked for.
//! # Reading order
//! [`numbers`], [`state`], [`proof`], [`change`], `steps`, [`host`], [`journal`], [`explain`].

pub mod change;
pub mod explain;
pub mod hits;
pub mod host;
pub mod journal;
pub mod numbers;
pub mod proof;
pub mod state;
mod steps;
mod subjects;

pub use change::{Applied, Change, Enforcer, Error, How, Local};
pub use explain::{Explained, explain};
pub use hits::Hits;
