//! A policy that only denies, and so isolates.

use diag::Diagnostic;
use flow::Direction;
use hir::{Effect, Isolation, Section};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(172, "deny-alone-isolates", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]) {
        return Vec::new();
    }
    let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
    sections
        .flat_map(|section| Direction::BOTH.map(|direction| check(spot, finder, section, direction)))
        .flatten()
        .collect()
}

fn check(spot: &Spot<'_>, finder: &Finder, section: &Section, direction: Direction) -> Option<Diagnostic> {
    let (field, name, slot) = match direction {
        Direction::Ingress => ("ingressDeny", "ingress", 0),
        Direction::Egress => ("egressDeny", "egress", 1),
    };
    let entries = || section.entries.iter().filter(|entry| entry.direction == direction);
    let denies = entries().any(|entry| entry.effect == Effect::Deny);
    // Why: a policy that writes the switch, or an empty rule beside its denies, knows what it does.
    let says = [format!("enableDefaultDeny.{name}"), name.to_owned()];
    let says_so = says.iter().any(|field| spot.node(&format!("{}.{field}", section.path)).is_some());
    if !matches!(section.isolation(direction), Isolation::Isolates(_)) || !denies || says_so {
        return None;
    }
    let mut near = finder.others.near(&spot.object.object.namespace, &section.subjects);
    if near.any(|brief| brief.allows[slot]) {
        return None;
    }
    let headline = format!("{} alone closes {name} for everybody", quoted(field));
    let said = spot.say(&PAGE, headline, spot.key(&format!("{}.{field}", section.path)), "isolates");
    let said = said.why(format!(
        "rules of a direction, denies too, isolate it: what no rule allows is dropped, and nothing is allowed to these pods for {name}"
    ));
    Some(said.help(format!("write `enableDefaultDeny: {{{name}: false}}` to deny only this, or add what is allowed")))
}
