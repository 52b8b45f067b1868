//! A `toServices` that names a service which does not exist.

use diag::Diagnostic;
use facts::Name;
use hir::policy::Which;
use hir::{Effect, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{nearest, quoted, replace};

pub const PAGE: Page = page!(200, "unknown-service", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry, peer) in spot.peers() {
        let PeerSelector::Services(services) = &peer.selector else { continue };
        let (Which::Named(name), Some(namespace)) = (&services.which, &services.namespace) else { continue };
        let known = in_namespace(finder, namespace);
        let is_known = known.iter().any(|it| it.name == *name);
        if is_known || (known.is_empty() && !finder.complete) {
            continue;
        }
        let path = format!("{}.k8sService.serviceName", peer.path);
        let span = spot.value(&path);
        let headline = format!("there is no service {}", quoted(&format!("{namespace}/{name}")));
        let said = spot.say(&PAGE, headline, span, "unknown here").why(match entry.effect {
            Effect::Deny => "nothing stands behind a service that does not exist, so the deny keeps nobody away",
            _ if finder.dialect.missing_services_are_absent => {
                "the agent then reads the rule as if it named no peer at all: with ports it opens them to everybody"
            }
            _ => "nothing stands behind a service that does not exist, so the rule lets nothing through",
        });
        let near = nearest(name, known.iter().map(|it| it.name.as_str()));
        found.push(match near.filter(|_| spot.node(&path).is_some_and(|node| spot.is_own_scalar(node))) {
            Some(near) => {
                let said = said.help(format!("did you mean {}?", quoted(near)));
                said.fix(replace(spot.text.id, span, near, format!("write `{near}`")))
            }
            None => said.help("name a service of that namespace, or make this one"),
        });
    }
    found.sort();
    found.dedup();
    found
}

fn in_namespace<'f>(finder: &'f Finder, namespace: &str) -> Vec<&'f Name> {
    let from = Name::new(namespace, String::new());
    finder.cluster.services.range(from..).map(|(name, _)| name).take_while(|it| it.namespace == namespace).collect()
}
