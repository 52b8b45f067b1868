//! A rule for a service that names the port of the service instead of the port of its pods.

use diag::Diagnostic;
use facts::Service;
use flow::Direction;
use hir::{Effect, L3, L4, PeerSelector, PortItem, Ports};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0154_service_port_as_pod_port::{listens, targets};
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(201, "service-port-beside-service", Error, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules().filter(|(_, entry)| entry.direction == Direction::Egress) {
        let (L4::Items(items), L3::Any(peers)) = (&entry.l4, &entry.l3) else { continue };
        let named = peers.iter().map(|peer| match &peer.selector {
            PeerSelector::Services(services) => Some(services),
            _ => None,
        });
        let Some(named) = named.collect::<Option<Vec<_>>>() else { continue };
        let meant = finder.cluster.services.values().filter(|service| {
            let labels = hir::peers::service_labels(service);
            named.iter().any(|it| it.selects(&service.name, &labels))
        });
        let meant: Vec<&Service> = meant.collect();
        for item in items {
            // Why: where the port is right for one of the services, it is there for that one.
            let is_right = |service: &&&Service| serves(finder, service, item);
            if meant.iter().find(is_right).is_none() {
                let wrong = meant.iter().find_map(|service| check(spot, finder, (entry.effect, &entry.l4), item, service));
                found.extend(wrong);
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether pods of a service listen on the port of an item, as far as is known; an item of many ports is never wrong.
fn serves(finder: &Finder, service: &Service, item: &PortItem) -> bool {
    let Ports::Range { low, high, .. } = &item.ports else { return true };
    low != high
        || service.selector.is_empty()
        || listens(finder, service, *low)
        || service.ports.iter().any(|port| targets(finder, service, port).contains(low))
}

fn check(
    spot: &Spot<'_>,
    finder: &Finder,
    (effect, l4): (Effect, &L4),
    item: &PortItem,
    service: &Service,
) -> Option<Diagnostic> {
    let Ports::Range { protocols, low, .. } = &item.ports else { return None };
    let asked = service.ports.iter().find(|it| it.port == *low && protocols.contains(&it.protocol))?;
    let targets = targets(finder, service, asked);
    if targets.is_empty() || targets.iter().any(|port| cover::has_port(l4, asked.protocol, *port)) {
        return None;
    }
    let numbers: Vec<String> = targets.iter().map(u16::to_string).collect();
    let to = numbers.join(" or ");
    let name = quoted(&service.name.to_string());
    let path = format!("{}.port", item.path);
    let span = spot.value(&path);
    let headline = format!("port {low} is that of service {name}, whose pods listen on {to}");
    let said = spot.say(&PAGE, headline, span, format!("pods listen on {to}")).why(match effect {
        Effect::Deny => "`toServices` stands for the pods behind the service, and policies see their ports: the rule denies nothing",
        _ => "`toServices` stands for the pods behind the service, and policies see their ports: the rule opens nothing",
    });
    let said = said.help(format!("write the port of the pods, {to}, or leave `toPorts` out"));
    Some(match (spot.node(&path).filter(|node| spot.is_own_scalar(*node)), numbers.as_slice()) {
        (Some(node), [only]) => {
            let text = spot.tree().raw(node).replace(&low.to_string(), only);
            said.fix(replace(spot.text.id, span, text, format!("write `{only}`")))
        }
        _ => said,
    })
}
