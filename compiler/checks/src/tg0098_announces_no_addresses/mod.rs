//! A CiliumL2AnnouncementPolicy that answers for no kind of address.

use diag::Diagnostic;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(98, "announces-no-addresses", Warning, "0.1.0", Correctness);

const FLAGS: [&str; 2] = ["spec.loadBalancerIPs", "spec.externalIPs"];

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    // Why: a flag that is no truth value is refused, and what was meant by it is not known.
    let is_off = |path: &str| spot.value_at(path).is_none_or(|value| value == Value::Bool(false));
    if !spot.is_of_cilium("CiliumL2AnnouncementPolicy") || !FLAGS.into_iter().all(is_off) {
        return Vec::new();
    }
    let written = FLAGS.into_iter().find(|path| spot.node(path).is_some());
    let said = spot.say(&PAGE, "the policy announces no addresses", spot.key(written.unwrap_or("spec")), "for none");
    let said = said.why(
        "`loadBalancerIPs` and `externalIPs` are both off, which is their default: no node answers for any service",
    );
    vec![said.help("set `loadBalancerIPs` or `externalIPs` to `true`, or delete the policy")]
}
