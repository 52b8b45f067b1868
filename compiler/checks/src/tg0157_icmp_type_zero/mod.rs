//! ICMP type 0, which some agents read as every type.

use diag::Diagnostic;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(157, "icmp-type-zero", Warning, "0.1.0", Parity);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        for field in spot
            .items(&format!("{}.icmps", entry.path))
            .flat_map(|it| spot.items(&format!("{it}.fields")).collect::<Vec<_>>())
        {
            let path = format!("{field}.type");
            let is_zero = match spot.value_at(&path) {
                Some(Value::Int(number)) => number == 0,
                Some(Value::Str(text)) => text == "0" || text == "EchoReply",
                _ => false,
            };
            if !is_zero || spot.string(&format!("{field}.family")).is_some_and(|family| family != "IPv4") {
                continue;
            }
            let (headline, label) = match finder.dialect.icmp_type_zero_is_any {
                true => ("ICMP type 0 is read as every ICMP type", "every type"),
                false => ("agents of Cilium read ICMP type 0 as every ICMP type", "every type, or replies only"),
            };
            let said = spot.say(&PAGE, headline, spot.value(&path), label);
            let said =
                said.why("number 0 is also the mark for \"any\" there, so the rule is about all of ICMP for IPv4");
            found.push(
                said.help(
                    "delete the line: replies to an allowed request pass without a rule; for requests write type 8",
                ),
            );
        }
    }
    found
}
