//! Reads what a live cluster is, with nothing but the right to list, and knows what it could not read.
//!
//! In: an [`Access`] (kubeconfig, context, somebody to act as) and the [`Resource`]s wanted.  Out: for each what came of it, objects as JSON.
//!
//! # Picture
//! ```text
//!  Access ─connect→ Cluster ─read→ one Outcome a resource: Objects | Absent | Forbidden | Failed
//!                                      │ pages: limit, continue; 410 begins again without pages
//!  Resources ─cluster_role→ the ClusterRole that is needed, as YAML
//! ```
//! # Does not know
//! What an object means: it is decoded as a file would be. No type of a kind stands here. It never writes to a cluster.
//! # Laws
//! What is forbidden is told apart from what is not there, and both from what failed (`tests/server`).
//! Objects are given whole or not at all: a list that breaks off is no list (`tests/server`).
//! # Reading order
//! [`resource`], then [`access`], then [`list`], then [`rbac`].

pub mod access;
pub mod error;
pub mod list;
pub mod rbac;
pub mod resource;

pub use access::{Access, Cluster};
pub use error::Error;
pub use list::Outcome;
pub use rbac::{cluster_role, rule};
pub use resource::{FACTS, POLICIES, Resource};
