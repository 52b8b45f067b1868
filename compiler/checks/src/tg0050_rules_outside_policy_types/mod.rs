//! Rules for a direction that `policyTypes` leaves out.

use diag::Diagnostic;
use driver::text::Role;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::replace;

pub const PAGE: Page = page!(50, "rules-outside-policy-types", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if spot.object.role != Role::Policy || spot.object.object.kind != "NetworkPolicy" {
        return Vec::new();
    }
    let tree = spot.tree();
    let types: Vec<&str> = spot.items("spec.policyTypes").filter_map(|path| spot.string(&path)).collect();
    let outside = |(field, name): &(&str, &str)| {
        let rules = spot.items(&format!("spec.{field}")).next().is_some();
        rules && !types.is_empty() && !types.contains(name)
    };
    let (why, label) = match finder.dialect.rules_extend_policy_types {
        true => (
            "an agent that reads rules first applies them and isolates the direction; the Kubernetes documentation \
             says they have no effect",
            "applied, though not announced",
        ),
        false => ("the rules have no effect, and this policy does not isolate the direction", "without effect"),
    };
    let found = [("ingress", "Ingress"), ("egress", "Egress")].into_iter().filter(outside);
    let render = |(field, name): (&str, &str)| {
        let said = PAGE.says(format!("`policyTypes` leaves out `{name}`, and there are `{field}` rules"));
        let said = spot.blame(said, spot.key(&format!("spec.{field}")), label);
        let said = said.note(spot.text.id, spot.key("spec.policyTypes"), format!("no `{name}` here"));
        let said = said.why(why).help(format!("add `{name}` to `policyTypes`, or delete the rules"));
        let list = spot.node("spec.policyTypes").map(|node| tree.span(node));
        match list.filter(|list| list.slice(tree.text()).ends_with(']')) {
            Some(list) => {
                let end = source::Span::at(list.end - 1);
                said.fix(replace(spot.text.id, end, format!(", {name}"), format!("add `{name}`")))
            }
            None => said,
        }
    };
    found.map(render).collect()
}
