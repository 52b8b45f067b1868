//! Services of two namespaces that ask to share an address, and only one of them permits it.

use diag::Diagnostic;
use facts::service::Apart;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0204_sharing_key_conflict::{KEY, apart};
use crate::words::quoted;

pub const PAGE: Page = page!(205, "sharing-permitted-by-one-side", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let found = apart(spot, finder).into_iter().filter_map(|(other, apart)| {
        let Apart::OneSided { silent } = apart else { return None };
        let headline = format!("no address is shared with service {}: only one of them permits it", quoted(&other));
        let said = spot.say(&PAGE, headline, spot.value(KEY), "asks to share");
        let said = said.why(
            "services of different namespaces share an address only where each permits the namespace of the other; the second \
             gets an address of its own",
        );
        Some(said.help(format!(
            "permit the other namespace in service {} too, with the annotation `lbipam.cilium.io/sharing-cross-namespace`",
            quoted(&silent.to_string())
        )))
    });
    found.collect()
}
