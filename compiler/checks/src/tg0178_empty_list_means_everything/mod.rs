//! An empty list of peers or ports in a NetworkPolicy, which puts no condition.

use diag::Diagnostic;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(178, "empty-list-means-everything", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["NetworkPolicy"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spot.items(&format!("spec.{direction}")) {
            for field in [peers, "ports"] {
                let path = format!("{rule}.{field}");
                let value = spot.node(&path).map(|node| spot.tree().value(node));
                if !matches!(value, Some(Value::Sequence([]) | Value::Null)) {
                    continue;
                }
                let (who, help) = match field {
                    "ports" => {
                        ("every protocol and port", "name the ports, or delete the line to say that all are meant")
                    }
                    _ => (
                        "everybody",
                        "name the peers; to allow nobody, delete the rule: what no rule allows is dropped",
                    ),
                };
                let headline = format!("{} is empty, so the rule is about {who}", quoted(field));
                let said = spot.say(&PAGE, headline, spot.key(&path), who);
                let said = said.why("in a NetworkPolicy an empty list puts no condition, as an absent one; in a Cilium policy it would match nothing");
                found.push(said.help(help));
            }
        }
    }
    found
}
