//! The DNS name of a service of the cluster as a name peer.

use diag::Diagnostic;
use facts::Name;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0160_fqdn_without_dns_rule::names;
use crate::words::quoted;

pub const PAGE: Page = page!(162, "cluster-name-in-fqdn", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for section in spot.policy.iter().flat_map(|policy| &policy.sections) {
        for (name, path) in names(section) {
            let Some(service) =
                name.strip_suffix(".cluster.local").or(Some(name)).and_then(|it| it.strip_suffix(".svc"))
            else {
                continue;
            };
            // Why: a service without selector leads out of the cluster, and then names do work.
            let known = service.split_once('.').map(|(name, namespace)| Name::new(namespace, name));
            let leads_out =
                known.and_then(|name| finder.cluster.services.get(&name)).is_some_and(|it| it.selector.is_empty());
            if !leads_out {
                found.push(render(spot, name, path));
            }
        }
    }
    found
}

fn render(spot: &Spot<'_>, name: &str, path: &str) -> Diagnostic {
    let headline = format!("{} is a name inside the cluster, which `toFQDNs` never matches", quoted(name));
    let field = ["matchName", "matchPattern"].into_iter().map(|field| format!("{path}.{field}"));
    let place = field.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| path.to_owned());
    let said = spot.say(&PAGE, headline, spot.value(&place), "a service of the cluster");
    said.why("pods and nodes keep their identity whatever name leads to them; name peers match addresses outside the cluster only")
        .help("select the pods behind the service with `toEndpoints`, or the service with `toServices`")
}
