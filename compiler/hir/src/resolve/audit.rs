//! Audit mode: what would be denied passes, and only that.

use flow::{L4Set, Peers};

use super::{BoundDirection, BoundRule};
use crate::policy::{Effect, Tier};

/// Turns every denial of a direction into a passage. What goes to a proxy goes there still, and the proxy judges requests.
///
/// A deny of a level wins over its allows, so it becomes an allow in a level of its own before it; places of levels are doubled to make
/// room. Isolation becomes an allow of everything at its end. Source: Cilium's `policy-audit-mode`, which turns the verdict of the policy
/// map around.
pub(super) fn turn(direction: &mut BoundDirection) {
    let rules = direction.rules.drain(..).map(|rule| match rule.effect {
        Effect::Deny => BoundRule { effect: Effect::Allow, order: rule.order.saturating_mul(2), ..rule },
        Effect::Allow | Effect::Pass => BoundRule { order: rule.order.saturating_mul(2).saturating_add(1), ..rule },
    });
    let mut rules: Vec<BoundRule> = rules.collect();
    let last = if direction.normal_tier_is_final { Tier::Normal } else { Tier::Baseline };
    let everything = std::mem::take(&mut direction.isolated_by).into_iter().map(|origin| BoundRule {
        tier: last,
        order: u32::MAX,
        effect: Effect::Allow,
        peers: Peers::All,
        selector: "all".to_owned(),
        l4: L4Set::all(),
        l7: None,
        auth: None,
        origin,
    });
    rules.extend(everything);
    rules.sort();
    rules.dedup();
    direction.rules = rules;
}
