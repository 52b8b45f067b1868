//! What ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy share: subjects, peers, ordered rules.
//!
//! ```text
//!  spec.subject ─► pods of every namespace, by labels of namespace and pod
//!  spec.ingress[], egress[] ─► one level each, in order: action × peers × ports
//! ```
//! A rule decides alone: the first that matches is the answer of the tier, and nothing is isolated by being selected.

mod peers;
mod rules;
pub(crate) mod schema;
mod selector;

use facts::read::At;

use crate::context::Context;
use crate::problem::{ProblemKind, Stage};

pub(crate) use rules::{Reading, decode, named, range};

/// Whether the dialect's engine does not look at the predecessors of ClusterNetworkPolicy, which is said of the object.
pub(crate) fn is_ignored(root: &At<'_>, ctx: &mut Context<'_>) -> bool {
    let ignored = !ctx.dialect.admin_policies_enforced;
    if ignored {
        ctx.close(root, Stage::Sanitize, ProblemKind::KindIgnored);
    }
    ignored
}
