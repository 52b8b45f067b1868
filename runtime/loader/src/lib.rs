//! Installs images into the kernel, atomically, and keeps the last good one.
//!
//! In: [`image::Image`] and what node maps are to hold.  Out: programs at interfaces, connections, counters, records.
//!
//! # Picture
//! ```text
//!  Image ──load──► tables and programs ──attach / replace──► TCX link (or clsact filter) of an endpoint's interface
//!                        │ refused: the verifier's log; what was attached stays
//!  endpoints, addresses, config ──► node maps ◄── programs of all images of the node
//!                                        └──► records, counters, tracked connections
//!  bpffs: tidegate/v1/<node>/{maps, images/<digest>, endpoints/<name>}   outlives the process; the next one adopts it
//! ```
//! # Does not know
//! Rules, diagrams, Kubernetes, how instructions were chosen, which peer has which number and class.
//! # Laws
//! Each packet meets the old or the new program of a hook, never neither (`tests/swap`).
//! On any failure the last good program stays (`tests/swap`). Programs of others are never touched (`tests/pins`).
//! # Reading order
//! [`node`], [`load`], [`attach`], then [`addresses`], [`features`], [`error`], at last [`sys`].

pub mod error;
pub mod load;
mod memlock;
pub mod node;
mod relocate;
pub mod sys;

pub use error::{Error, Operation, Result, Retry};
pub use load::Loaded;
pub use node::{Node, Pins};
pub use sys::program::{Context, Run, Stats};
