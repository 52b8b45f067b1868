//! NetworkPolicy, networking.k8s.io/v1.
//!
//! ```text
//!  spec.podSelector ─► pods of its namespace
//!  ingress[].from[] ─► pods by labels of pod and namespace, or addresses   × ports[]
//!  egress[].to[]    ─► likewise                                            × ports[]
//! ```
//! Normal tier, allow only; isolates every direction that it affects.

mod decode;
mod schema;
mod validate;

pub(crate) use decode::decode;
pub use schema::FIELDS;
pub(crate) use validate::{is_port_name, number, validate};
