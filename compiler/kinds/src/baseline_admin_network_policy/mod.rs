//! BaselineAdminNetworkPolicy, policy.networking.k8s.io/v1alpha1: one object named `default`, asked where nothing else decides.
//!
//! ```text
//!  spec.subject ─► pods of every namespace
//!  ingress[].from[], egress[].to[] × ports[] ─► Allow or Deny; the first that matches
//! ```
//! Baseline tier. The predecessor of ClusterNetworkPolicy's tier Baseline.

mod schema;

use facts::read::At;
use hir::{Section, Tier};

use crate::admin_network_policy::port;
use crate::context::Context;
use crate::tiers::{self, Reading};

pub use schema::{FIELDS, RULES};

/// Reads `spec`.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    if tiers::is_ignored(root, ctx) {
        return Vec::new();
    }
    tiers::decode(root, Reading { tier: Tier::Baseline, priority: 0, items: "ports", item: port }, ctx)
}
