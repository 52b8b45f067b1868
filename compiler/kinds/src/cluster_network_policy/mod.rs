//! ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2.
//!
//! ```text
//!  spec.tier     ─► Admin: before every other kind; Baseline: where none of them decides
//!  spec.priority ─► which object is asked first
//!  spec.subject  ─► pods of every namespace
//!  ingress[].from[], egress[].to[] × protocols[] ─► Accept, Deny or Pass; the first that matches
//! ```

mod decode;
mod schema;

pub(crate) use decode::decode;
pub use schema::{FIELDS, RULES};
