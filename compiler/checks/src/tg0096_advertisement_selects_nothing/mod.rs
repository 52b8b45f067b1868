//! A BGP advertisement that names no service or pool.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(96, "advertisement-selects-nothing", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_of_cilium("CiliumBGPAdvertisement") {
        return Vec::new();
    }
    spot.items("spec.advertisements").filter_map(|path| check(spot, &path)).collect()
}

fn check(spot: &Spot<'_>, path: &str) -> Option<Diagnostic> {
    let kind = spot.string(&format!("{path}.advertisementType"))?;
    let what = match kind {
        "Service" => "services",
        "CiliumPodIPPool" => "pools",
        _ => return None,
    };
    if spot.value_at(&format!("{path}.selector")).is_some() {
        return None;
    }
    let headline = format!("the advertisement of {} has no `selector`, so nothing is advertised", quoted(kind));
    let span = spot.value(&format!("{path}.advertisementType"));
    let said = spot.say(&PAGE, headline, span, format!("selects no {what}"));
    let said = said.why(format!(
        "of {what} an absent selector means none and an empty one all, unlike the node selectors of the same kinds, of which an absent one means all"
    ));
    Some(said.help(format!("write `selector: {{}}` to advertise all {what}, or their labels")))
}
