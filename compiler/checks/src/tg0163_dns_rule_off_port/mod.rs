//! A DNS rule on a port where nobody speaks DNS.

use diag::Diagnostic;
use hir::{L4, Parser, Ports};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(163, "dns-rule-off-port", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        let (Some(l7), L4::Items(items)) = (&entry.l7, &entry.l4) else { continue };
        if l7.parser != Parser::Dns {
            continue;
        }
        for item in items {
            let Ports::Range { low, high, .. } = &item.ports else { continue };
            // Why: servers behind others listen on ports such as 5353, 1053 or 8053; 853 is DNS over TLS.
            if low != high || (low % 100 == 53 && *low != 853) {
                continue;
            }
            let headline = format!("a DNS rule stands on port {low}");
            let said = spot.say(&PAGE, headline, spot.value(&format!("{}.port", item.path)), "not DNS");
            let said = said.why(match low {
                853 => "queries on port 853 are encrypted; the proxy cannot read them, so no name is ever learned",
                _ => "the proxy takes everything on this port for DNS queries: what else is spoken there breaks",
            });
            found.push(
                said.help(
                    "write port 53, or the port on which the DNS pods listen; give other ports a rule of their own",
                ),
            );
        }
    }
    found
}
