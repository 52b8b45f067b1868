//! Swaps policies thousands of times under traffic and accounts for every packet.
//!
//! ```text
//!  policies(seed, state i) ──► Stage::prepare ──► Stage::make ──► epoch i, with the moments between which it began
//!          └──► oracle: what each flow should come to in epoch i          │
//!  Traffic ──► every packet, with the span in which it was judged ────────┴──► which epochs, so which outcomes, are possible
//! ```
//!
//! A packet that arrived must be allowed, from end to end, by an epoch that may have judged it; a missing one must be denied by one.
//! So what two neighbours both allow is never lost, and what neither allows never passes, while both ends of all nodes change. On a node
//! alone one end changes at a time, in the one step that this takes there.

pub mod cluster;
pub mod flows;
pub mod outcome;
pub mod policies;
pub mod reconcile;
pub mod run;

pub use outcome::{Latency, Outcome};
pub use reconcile::Unexplained;
pub use run::{Options, run};
