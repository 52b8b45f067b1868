//! An empty list of egress rules that isolates nothing.

use diag::Diagnostic;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(177, "egress-not-isolated", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let names_types = spot.items("spec.policyTypes").next().is_some();
    let empty = matches!(spot.value_at("spec.egress"), Some(Value::Sequence([])));
    if !spot.is_policy_of(&["NetworkPolicy"]) || names_types || !empty {
        return Vec::new();
    }
    let said = spot.say(
        &PAGE,
        "an empty `egress` without `policyTypes` does not close egress",
        spot.key("spec.egress"),
        "as if it were not there",
    );
    let said =
        said.why("without `policyTypes` only a list with rules isolates egress: these pods may connect to anybody");
    vec![said.help("write `policyTypes: [Ingress, Egress]` to close both directions, or delete `egress`")]
}
