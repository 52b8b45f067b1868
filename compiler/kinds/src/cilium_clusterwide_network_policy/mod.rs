//! CiliumClusterwideNetworkPolicy, cilium.io/v2.
//!
//! ```text
//!  endpointSelector ─► endpoints of every namespace          rules as in CiliumNetworkPolicy;
//!  nodeSelector     ─► nodes themselves                      a peer selector means every namespace
//! ```
//! Normal tier, one level.

use facts::read::At;
use hir::Section;

use crate::cilium_network_policy::{self, Scope};
use crate::context::Context;
use crate::schema::Field;

/// The fields beside the envelope.
pub const FIELDS: &[Field] = cilium_network_policy::FIELDS;

/// Reads `spec` and `specs`.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    cilium_network_policy::decode(root, Scope::Clusterwide, ctx)
}
