//! A policy of a kind that Cilium stores and does not look at.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(92, "kind-ignored-by-cilium", Error, "0.1.0", Reach);

pub fn render(spot: &Spot<'_>) -> Diagnostic {
    let said = PAGE.says(format!("the kind {} has no effect under Cilium", quoted(&spot.object.object.kind)));
    spot.blame(said, spot.value("kind"), "ignored")
        .why(
            "the API server stores the object and no agent reads it: what it denies passes, and what it allows is decided by others",
        )
        .help("write a ClusterNetworkPolicy of `policy.networking.k8s.io/v1alpha2`, which Cilium reads where it is switched on")
}
