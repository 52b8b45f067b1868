//! AdminNetworkPolicy, policy.networking.k8s.io/v1alpha1: the predecessor of ClusterNetworkPolicy's tier Admin.
//!
//! ```text
//!  spec.priority ─► which object is asked first
//!  spec.subject  ─► pods of every namespace
//!  ingress[].from[], egress[].to[] × ports[] ─► Allow, Deny or Pass; the first that matches
//! ```
//! Its rules, subjects and peers are also those of BaselineAdminNetworkPolicy.

mod decode;
mod schema;

pub(crate) use decode::{decode, port};
pub use schema::{FIELDS, PODS, PORTS, RULES, SUBJECT};
