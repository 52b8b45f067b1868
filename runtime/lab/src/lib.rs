//! Makes a cluster's network out of network namespaces on this machine, and says what real packets do in it.
//!
//! In: a plain [`Spec`] of nodes, pods and outside addresses.  Out: a running [`Lab`], and what was observed in it.
//!
//! # Picture
//! ```text
//!  Spec ─Plan::new→ Plan ─Lab::up→ Lab ─in_node→ (the caller attaches programs to host ends)
//!                                   ├─ probe_all ───→ Observed   who reaches whom
//!                                   └─ Traffic::start→ Report     what a change of policy did to every packet
//! ```
//! # Does not know
//! Policies, programs, expectations, signals. Whoever attaches programs or compares with an expectation does it outside.
//! # Laws
//! The root namespace gets no link, address, route or setting (`tests/up_and_down.rs`).
//! Nothing is left when a lab is down, and what a crash leaves is found by name (`tests/up_and_down.rs`).
//! Without programs every pair is reached in both families (`tests/reach.rs`).
//! Every packet of traffic is received, or missing with the span of time in which that was decided (`tests/traffic.rs`).
//! # Reading order
//! [`topology`], then [`netns`], then [`running`], then [`probe`], then [`traffic`], then [`error`].

pub mod error;
pub mod netns;
pub mod probe;
pub mod running;
pub mod topology;
pub mod traffic;
mod wire;

pub use error::{Error, Result};
pub use probe::{End, Observed, Outcome, Patience, Probe, Protocol, all_pairs, probe_all, probe_with};
pub use running::{Lab, Orphan, down, down_all, orphans};
pub use topology::{NodeSpec, Place, Plan, PodSpec, PortSpec, RunId, Spec, SpecError, Transport};
