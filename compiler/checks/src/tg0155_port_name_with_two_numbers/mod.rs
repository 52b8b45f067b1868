//! An egress port name that stands for two numbers, where one number is looked up for the whole cluster.

use diag::Diagnostic;
use flow::Direction;
use hir::{L4, Ports};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(155, "port-name-with-two-numbers", Warning, "0.1.0", Parity);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if finder.dialect.egress_port_names_per_destination {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, entry) in spot.rules().filter(|(_, entry)| entry.direction == Direction::Egress) {
        let L4::Items(items) = &entry.l4 else { continue };
        for item in items {
            let Ports::Name { protocols, name } = &item.ports else { continue };
            for protocol in protocols {
                let numbers = finder.port_names().get(&(name.clone(), *protocol));
                let [(one, first), (other, second), ..] = numbers.map(Vec::as_slice).unwrap_or_default() else {
                    continue;
                };
                let headline = format!("the port name {} stands for {one} and for {other}", quoted(name));
                let label = format!("{one} of {first}, {other} of {second}");
                let said = spot.say(&PAGE, headline, spot.value(&format!("{}.port", item.path)), label);
                let said = said.why("Cilium looks an egress port name up once for the whole cluster; where it finds two numbers, the rule lets nothing through by it");
                found.push(said.help("write the number, or give the ports different names"));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
