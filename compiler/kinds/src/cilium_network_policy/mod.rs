//! CiliumNetworkPolicy, cilium.io/v2. Its rules are also those of the clusterwide kind.
//!
//! ```text
//!  spec, specs[] ─┬─ endpointSelector ─► pods of its namespace
//!                 ├─ ingress[], egress[]          ─► allows: one peer list × (toPorts[] or icmps[]) × L7, auth
//!                 ├─ ingressDeny[], egressDeny[]  ─► denies, which win
//!                 └─ enableDefaultDeny            ─► whether it isolates
//! ```
//! Normal tier, one level.

mod decode;
mod entries;
mod icmp;
mod l7;
mod peers;
mod ports;
mod requests;
mod sanitize;
mod schema;
mod selector;

pub(crate) use decode::{Scope, decode, decode_namespaced, published};
pub use schema::{FIELDS, RULE, RULES};
