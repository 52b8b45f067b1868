//! The walk through tiers and levels.

use std::fmt;

use flow::{L4Key, PeerId, Verdict};
use rules::{Effect, Fallback, OriginId, Rule, RuleSet};

use crate::merge::merge;

/// The answer for one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens to the flow.
    pub verdict: Verdict,
    /// Everything that made it so: all matching denies, or all matching allows, of the deciding level; or what the end of
    /// the tier or the fallback names. Sorted, without duplicates; may be empty.
    pub by: Vec<OriginId>,
    /// Which step decided.
    pub because: Because,
}

/// The step that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// Rules of this level. Both are indices, from 0.
    Rule {
        /// Into [`RuleSet::tiers`].
        tier: usize,
        /// Into [`rules::Tier::levels`].
        level: usize,
    },
    /// Nothing in this tier decided, and the tier denies what it leaves undecided.
    TierEnd {
        /// Into [`RuleSet::tiers`].
        tier: usize,
    },
    /// Nothing in any tier decided.
    Fallback,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Rule { tier, level } => write!(f, "rules of tier {tier} level {level}"),
            Because::TierEnd { tier } => write!(f, "the end of tier {tier}"),
            Because::Fallback => f.write_str("the fallback"),
        }
    }
}

/// Decides one flow.
///
/// Tiers are asked in order, and in each the levels in order. The first level with a matching rule settles its tier: a deny
/// there drops the flow, else an allow lets it through, else the match is a pass, which skips what is left of the tier. A
/// tier that ends undecided, by a pass or for want of a match, may deny; otherwise the next tier is asked, and in the end
/// the fallback.
///
/// Cost: every rule, in the worst case.
pub fn decide(rules: &RuleSet, peer: PeerId, key: L4Key) -> Decision {
    walk(rules, peer, key).0
}

/// Decides one flow, and gives the allows that did; none when something else did.
pub(crate) fn walk(rules: &RuleSet, peer: PeerId, key: L4Key) -> (Decision, Vec<&Rule>) {
    for (tier_at, tier) in rules.tiers.iter().enumerate() {
        for (level_at, level) in tier.levels.iter().enumerate() {
            let matching: Vec<&Rule> =
                level.rules.iter().filter(|rule| rule.peers.contains(peer) && rule.l4.contains(key)).collect();
            let denies: Vec<&Rule> = matching.iter().copied().filter(|rule| rule.effect == Effect::Deny).collect();
            let allows: Vec<&Rule> =
                matching.iter().copied().filter(|rule| matches!(rule.effect, Effect::Allow { .. })).collect();
            let because = Because::Rule { tier: tier_at, level: level_at };

            if !denies.is_empty() {
                return (Decision { verdict: Verdict::DENY, by: origins(&denies), because }, Vec::new());
            }
            if !allows.is_empty() {
                return (Decision { verdict: merge(&allows, key), by: origins(&allows), because }, allows);
            }
            if !matching.is_empty() {
                // Only passes match: what is left of this tier is skipped.
                break;
            }
        }
        if let Some(end) = &tier.end {
            let because = Because::TierEnd { tier: tier_at };
            return (Decision { verdict: Verdict::DENY, by: sorted(end.clone()), because }, Vec::new());
        }
    }
    let because = Because::Fallback;
    let decision = match &rules.fallback {
        Fallback::Allow => Decision { verdict: Verdict::ALLOW, by: Vec::new(), because },
        Fallback::Deny(isolating) => Decision { verdict: Verdict::DENY, by: sorted(isolating.clone()), because },
    };
    (decision, Vec::new())
}

fn origins(rules: &[&Rule]) -> Vec<OriginId> {
    sorted(rules.iter().map(|rule| rule.origin).collect())
}

fn sorted(mut origins: Vec<OriginId>) -> Vec<OriginId> {
    origins.sort_unstable();
    origins.dedup();
    origins
}
