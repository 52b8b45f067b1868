//! A family of a BGP peering for which no advertisement is selected.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(97, "peer-family-announces-nothing", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_of_cilium("CiliumBGPPeerConfig") {
        return Vec::new();
    }
    let silent = |path: &String| spot.value_at(&format!("{path}.advertisements")).is_none();
    spot.items("spec.families").filter(silent).map(|path| words(spot, &path)).collect()
}

fn words(spot: &Spot<'_>, path: &str) -> Diagnostic {
    let name = |field: &str| spot.string(&format!("{path}.{field}")).unwrap_or("?");
    let headline = format!("nothing is advertised in the family `{} {}`", name("afi"), name("safi"));
    let said = spot.say(&PAGE, headline, spot.value(&format!("{path}.afi")), "has no `advertisements`");
    said.why("a family without `advertisements` selects no CiliumBGPAdvertisement: peers learn no route of it")
        .help("write `advertisements` with the labels of the CiliumBGPAdvertisement objects to announce, or leave the family out")
}
