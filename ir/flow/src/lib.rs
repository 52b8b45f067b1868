//! Names the universe of one decision: direction, peer, family, protocol and destination port.
//!
//! In: nothing.  Out: plain values that every other crate may hold.
//!
//! # Picture
//! ```text
//!            ┌──────── one decision of one subject ────────┐
//!  flow  =   direction × peer × L4 key (protocol, port/type)  ──►  verdict
//! ```
//! # Does not know
//! Who a peer is, where a rule came from, files, kernels, time.
//! # Laws
//! Sets are canonical: equal sets are equal values (`l4::tests`, `peers::tests`).
//! # Reading order
//! [`l4`], then [`peers`], then [`prefix`], then [`verdict`].

pub mod l4;
pub mod peers;
pub mod prefix;
mod text;
pub mod verdict;

pub use l4::{L4Key, L4Set, Protocol};
pub use peers::{PeerId, PeerSet, Peers};
pub use prefix::{Family, Prefix};
pub use verdict::{Action, Auth, Direction, ListenerId, Verdict};
