//! Lowers what is bound to a class of subjects into ordered tiers of rules.
//!
//! In: `hir::Bound`, one per class.  Out: two `rules::RuleSet`s, ingress and egress, origins kept.
//!
//! # Picture
//! ```text
//!  hir ─resolve→ Bound ─lower→ RuleSet × 2 ──► diagram
//! ```
//! The last place where a word of Kubernetes is heard: after it there are peers, keys, tiers and opaque origins.
//! # Does not know
//! Selectors, labels, clusters, files, kernels.
//! # Laws
//! Equal bounds give equal rule sets; no origin is lost; tiers and levels ascend (`tests/tiers.rs`). Text to verdict is shown by
//! small cases (`tests/traps`). What is asked of requests is joined where rules are one rule of a proxy (`requests`).
//! # Reading order
//! [`lower()`], then [`Indices`].

mod requests;

use std::collections::{BTreeMap, BTreeSet};

use hir::resolve::{Bound, BoundDirection, BoundRule};
use requests::Asked;
use rules::{Effect, Fallback, Level, Origin, OriginId, Redirect, Rule, RuleSet, Tier};

/// Lowers both directions of a bound: first ingress, then egress.
pub fn lower(bound: &Bound) -> (RuleSet, RuleSet) {
    (lower_direction(&bound.ingress), lower_direction(&bound.egress))
}

/// Lowers one direction.
///
/// Shape: only tiers that hold rules, and the Normal tier when it is final for an isolated direction. Never fails.
pub fn lower_direction(bound: &BoundDirection) -> RuleSet {
    let indices = Indices::of(bound);
    let isolated_by: Vec<OriginId> = bound.isolated_by.iter().filter_map(|it| indices.origin(it)).collect();
    let isolated = !isolated_by.is_empty();
    let asked = Asked::of(bound, |origin| indices.origin(origin));
    let mut by_tier: BTreeMap<hir::Tier, BTreeMap<u32, Vec<Rule>>> = BTreeMap::new();
    for rule in &bound.rules {
        if let Some(lowered) = lower_rule(rule, &indices, &asked) {
            by_tier.entry(rule.tier).or_default().entry(rule.order).or_default().push(lowered);
        }
    }
    let ends_in_normal = isolated && bound.normal_tier_is_final;
    if ends_in_normal {
        by_tier.entry(hir::Tier::Normal).or_default();
    }
    let tiers = by_tier.into_iter().map(|(tier, levels)| Tier {
        name: name_of(tier).to_owned(),
        levels: levels.into_iter().map(|(order, rules)| Level { order, rules }).collect(),
        end: (ends_in_normal && tier == hir::Tier::Normal).then(|| isolated_by.clone()),
    });
    RuleSet {
        tiers: tiers.collect(),
        fallback: if isolated { Fallback::Deny(isolated_by) } else { Fallback::Allow },
        origins: indices.origins,
        listeners: indices.listeners,
        requests: asked.into_sets(),
        names_by_port: bound.dns_rules_not_widened,
    }
}

/// What a tier is called in rule sets.
fn name_of(tier: hir::Tier) -> &'static str {
    match tier {
        hir::Tier::Admin => "admin",
        hir::Tier::Normal => "normal",
        hir::Tier::Baseline => "baseline",
    }
}

fn lower_rule(rule: &BoundRule, indices: &Indices, asked: &Asked<'_>) -> Option<Rule> {
    let effect = match rule.effect {
        hir::Effect::Deny => Effect::Deny,
        hir::Effect::Pass => Effect::Pass,
        hir::Effect::Allow => Effect::Allow {
            redirect: match asked.asking(rule, |origin| indices.origin(origin)) {
                Some(asking) => Some(Redirect {
                    listener: indices.listener(&asking.parser.to_string())?,
                    priority: asking.priority,
                    requests: asked.number(&asking.rules),
                }),
                None => None,
            },
            auth: rule.auth,
        },
    };
    let origin = indices.origin(&rule.origin)?;
    Some(Rule { peers: rule.peers.clone(), l4: rule.l4.clone(), effect, origin })
}

/// The numbers of origins and listeners of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indices {
    origins: Vec<Origin>,
    listeners: Vec<String>,
}

impl Indices {
    /// Numbers everything that a direction names, in sorted order.
    pub fn of(bound: &BoundDirection) -> Indices {
        let named = bound.rules.iter().map(|rule| &rule.origin).chain(&bound.isolated_by);
        let redirects = || bound.rules.iter().filter(|rule| rule.l7.is_some());
        let lists = redirects().map(|rule| lower_origin(&requests::list(rule)));
        let origins: BTreeSet<Origin> = named.map(lower_origin).chain(lists).collect();
        let mut listeners: BTreeSet<String> = BTreeSet::new();
        for l7 in redirects().filter_map(|rule| rule.l7.as_ref()) {
            listeners.insert(l7.parser.to_string());
            if !l7.requests.server_names.is_empty() {
                // What stands open beside it may come to need a name too.
                listeners.insert(hir::Parser::Tls.to_string());
            }
        }
        Indices { origins: origins.into_iter().collect(), listeners: listeners.into_iter().collect() }
    }

    fn origin(&self, origin: &hir::Origin) -> Option<OriginId> {
        let at = self.origins.binary_search(&lower_origin(origin)).ok()?;
        Some(OriginId(at as u32))
    }

    fn listener(&self, name: &str) -> Option<flow::ListenerId> {
        let at = self.listeners.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
        u16::try_from(at).ok().map(flow::ListenerId)
    }
}

fn lower_origin(origin: &hir::Origin) -> Origin {
    Origin { object: origin.object.to_string(), path: origin.path.clone() }
}
