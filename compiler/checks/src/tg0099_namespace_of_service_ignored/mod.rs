//! A namespace of a service that is not the one of the CiliumEnvoyConfig itself.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(99, "namespace-of-service-ignored", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    // Why: an object that names no namespace may be meant for the one that its services name.
    let own = spot.string("metadata.namespace").filter(|own| !own.is_empty());
    let Some(own) = own.filter(|_| spot.is_of_cilium("CiliumEnvoyConfig")) else { return Vec::new() };
    let lists = ["spec.services", "spec.backendServices"];
    lists.into_iter().flat_map(|list| spot.items(list)).filter_map(|path| check(spot, &path, own)).collect()
}

fn check(spot: &Spot<'_>, path: &str, own: &str) -> Option<Diagnostic> {
    let path = format!("{path}.namespace");
    let other = spot.string(&path).filter(|other| !other.is_empty() && *other != own)?;
    let headline = format!("the namespace {} is not looked at: the service is that of {}", quoted(other), quoted(own));
    let said = spot.say(&PAGE, headline, spot.value(&path), format!("read as `{own}`"));
    let said = said.why("a CiliumEnvoyConfig speaks of services of its own namespace only, whatever is written");
    Some(said.help("put the object into the namespace of the service, or use a CiliumClusterwideEnvoyConfig"))
}
