//! An `endPort` that has no effect.

use diag::Diagnostic;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(156, "end-port-ignored", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        for item in spot.items(&format!("{}.ports", entry.path)) {
            let end = match spot.value_at(&format!("{item}.endPort")) {
                Some(Value::Int(end)) if end > 0 => end,
                _ => continue,
            };
            let Some(port) = spot.string(&format!("{item}.port")) else { continue };
            let (what, help) = match port.parse::<i64>() {
                Ok(first) if end < first => ("is below its port", "name the smaller number as `port`"),
                Err(_) => ("stands beside a port name", "write a number as `port`, or leave `endPort` away"),
                Ok(_) => continue,
            };
            let headline = format!("`endPort: {end}` {what} and is ignored");
            let said = spot.say(&PAGE, headline, spot.value(&format!("{item}.endPort")), "ignored");
            let said = said
                .why(format!("the rule is about port {} alone; the rest of the range stays as it is", quoted(port)));
            found.push(said.help(help));
        }
    }
    found
}
