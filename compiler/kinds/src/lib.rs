//! Decodes policy objects: tree in, one policy shape out.
//!
//! In: a `syntax` tree and a dialect.  Out: [`Decoded`], one for each object of a document: a policy, a fact, or neither.
//!
//! # Picture
//! ```text
//!  tree ─objects─► object ─classify─┬─ policy ─check schema, decode─► hir::Policy ┐
//!                                   ├─ fact   ─facts::decode────────► facts::Fact ├─► Decoded + problems
//!                                   ├─ known, enforced by nothing ─check schema──►┤
//!                                   └─ unknown, removed, of another engine ──────►┘
//! ```
//! # Does not know
//! Clusters, peers, byte offsets, words for people. A problem is an enum value and a path in its object.
//! # Laws
//! Never fails; nothing of a policy API group is passed over in silence; an object with a rejecting problem has no policy (`tests/problems.rs`).
//! # Reading order
//! [`registry`] and [`checked`], [`schema`], [`problem`], then one folder per kind.

mod address;
pub mod admission;
pub mod checked;
mod context;
pub mod decode;
pub mod foreign;
pub mod metadata;
pub mod problem;
pub mod registry;
pub mod schema;
pub mod selector;

pub mod admin_network_policy;
pub mod baseline_admin_network_policy;
pub mod cilium;
pub mod cilium_cidr_group;
pub mod cilium_clusterwide_network_policy;
pub mod cilium_egress_gateway_policy;
pub mod cilium_local_redirect_policy;
pub mod cilium_network_policy;
pub mod cluster_network_policy;
pub mod endpoint_slice;
pub mod network_policy;
pub mod service;
mod tiers;

pub use admission::{Admission, admission};
pub use checked::{CHECKED, Checked, Role, deprecated};
pub use decode::{Decoded, What, decode};
pub use foreign::Engine;
pub use problem::{Consequence, Form, Problem, ProblemKind, Stage};
pub use registry::{Class, FACTS, KINDS, Kind, Removed, classify};
