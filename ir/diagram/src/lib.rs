//! Builds the canonical form of rules: peers fall into classes, and each class has one map from L4 key to verdict.
//!
//! In: `rules::RuleSet`.  Out: [`Diagram`], equal exactly when the meaning is equal, and [`Columns`] for code.
//!
//! # Picture
//! ```text
//!             shapes          groups              sweep            intern
//!  RuleSet ──► distinct ──► peers that the ──► one L4 map per ──► classes, numbered ──► Diagram ──► Columns
//!              rules         same rules name    group              by their maps          │
//!                                                                                         └──► difference
//! ```
//! # Does not know
//! Origins: `oracle::decide` tells who decided. Who a peer is, files, images, kernels.
//! # Laws
//! Every answer is the oracle's; equality is equality of meaning; numbering depends on the meaning only
//! (`tests/oracle.rs`, `tests/small_world.rs`, `tests/laws.rs`).
//! # Example
//! ```
//! use diagram::{Limits, build, difference};
//! use rules::RuleSet;
//!
//! let allow = "tier normal\n level 0\n  allow peers {1-2} l4 tcp/80 by web rules[0]\n".to_owned();
//! let old = RuleSet::parse(&(allow.clone() + "fallback deny"))?;
//! let new = RuleSet::parse(&(allow + "  deny peers {2} l4 tcp/* by web rules[1]\n fallback deny"))?;
//! let (old, new) = (build(&old, 4, &Limits::default())?, build(&new, 4, &Limits::default())?);
//! assert_eq!(old.to_string(), "class 0 {0,3} and others: deny\nclass 1 {1-2}: deny, tcp/80: allow, tcp/81: deny\n");
//! assert_eq!(difference(&old, &new).to_string(), "peers {2} l4 tcp/80: allow -> deny\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! # Reading order
//! [`Diagram`], then [`map`], then `shapes`, `groups`, `sweep`, then [`columns`], [`difference`](mod@difference) and [`meet()`].

pub mod columns;
mod diagram;
pub mod difference;
mod groups;
pub mod limits;
pub mod map;
mod meet;
mod shapes;
mod sweep;

pub use columns::{ColumnId, Columns};
pub use diagram::{ClassId, Counts, Diagram, Signature, build};
pub use difference::{Change, ChangeCounts, Difference, Region, difference, stretches};
pub use limits::{Limits, TooLarge};
pub use map::L4Map;
pub use meet::meet;
