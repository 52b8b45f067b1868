//! A policy of allows that isolates nothing, among others that isolate nothing.

use diag::Diagnostic;
use flow::Direction;
use hir::{Effect, Entry, Isolation, Section};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(180, "open-policy-adds-nothing", Hint, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
    sections
        .flat_map(|section| Direction::BOTH.map(|direction| check(spot, finder, section, direction)))
        .flatten()
        .collect()
}

fn check(spot: &Spot<'_>, finder: &Finder, section: &Section, direction: Direction) -> Option<Diagnostic> {
    let name = if direction == Direction::Ingress { "ingress" } else { "egress" };
    let place = format!("{}.enableDefaultDeny.{name}", section.path);
    let entries = || section.entries.iter().filter(|entry| entry.direction == direction);
    let plain = |entry: &Entry| entry.effect == Effect::Allow && entry.l7.is_none() && entry.auth.is_none();
    if *section.isolation(direction) != Isolation::Open || entries().next().is_none() || !entries().all(plain) {
        return None;
    }
    spot.node(&place)?;
    let slot = usize::from(direction == Direction::Egress);
    if finder.others.near(&spot.object.object.namespace, &section.subjects).any(|brief| brief.isolates[slot]) {
        return None;
    }
    let headline = format!("the {name} rules allow what is open anyway");
    let said = spot.say(&PAGE, headline, spot.key(&place), "isolates nothing");
    let said = said.why(format!(
        "this policy does not isolate {name}, and no other that is known does: its allows change nothing"
    ));
    Some(said.help("delete the switch if the rules are to be the only way, or keep the policy for others that isolate"))
}
