//! Services that ask to share an address and cannot.

use diag::Diagnostic;
use facts::service::Apart;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(204, "sharing-key-conflict", Warning, "0.1.0", Correctness);

/// Where a service says with whom it shares.
pub(crate) const KEY: &str = "metadata.annotations[\"lbipam.cilium.io/sharing-key\"]";

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let found = apart(spot, finder).into_iter().filter_map(|(other, apart)| {
        let what = match apart {
            Apart::Port(protocol, port) => format!("both use {port}/{protocol}"),
            Apart::TrafficPolicy => "their `externalTrafficPolicy` differs".to_owned(),
            Apart::Selectors => "with `externalTrafficPolicy: Local` both need the same, non-empty selector".to_owned(),
            Apart::OneSided { .. } | Apart::Namespaces => return None,
        };
        let headline = format!("no address is shared with service {}: {what}", quoted(&other));
        let said = spot.say(&PAGE, headline, spot.value(KEY), "asks to share");
        let said = said.why("the operator gives the second of them an address of its own, or none where the pool has no other");
        Some(said.help("give one of them another sharing key, or take away what keeps them apart"))
    });
    found.collect()
}

/// The services with the key of this one that cannot share with it, each once for a pair: at the one whose name comes later.
pub(crate) fn apart(spot: &Spot<'_>, finder: &Finder) -> Vec<(String, Apart)> {
    let object = &spot.object.object;
    if object.kind != "Service" || spot.node(KEY).is_none() {
        return Vec::new();
    }
    let Some(mine) = finder.cluster.services.get(&facts::Name::new(&*object.namespace, &*object.name)) else {
        return Vec::new();
    };
    let others = finder.cluster.services.values().take_while(|it| it.name < mine.name);
    others.filter_map(|it| Some((it.name.to_string(), it.apart(mine)?))).collect()
}
