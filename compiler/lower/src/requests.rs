//! What redirects ask of requests, and how rules that say the same of the same peers and port are joined.
//!
//! Rules of one selector and one port item count as one rule of the proxy: names that TLS clients may ask for are united, so that as
//! soon as one of them wants a name all traffic must be TLS; and where one of them ends TLS, the proxy reads for all of them.
//! Source: "merging" of Cilium's `pkg/policy/l4.go`.

use std::collections::{BTreeMap, BTreeSet};

use flow::L4Set;
use hir::resolve::{BoundDirection, BoundRule};
use hir::{Effect, L7, Parser, Tier};
use request::{Requests, Rules};
use rules::{OriginId, RequestRules, RequestsId};

/// What makes rules one rule of the proxy.
type Item<'b> = (Tier, u32, &'b str, &'b L4Set);

fn item(rule: &BoundRule) -> Item<'_> {
    (rule.tier, rule.order, &rule.selector, &rule.l4)
}

/// What rules of one item share.
#[derive(Default)]
struct Shared {
    server_names: BTreeSet<String>,
    terminates: bool,
}

/// The request rules of one direction, each once, and the redirect of each rule.
pub(crate) struct Asked<'b> {
    shared: BTreeMap<Item<'b>, Shared>,
    observes: bool,
    /// Sorted, without duplicates.
    sets: Vec<RequestRules>,
}

/// A redirect before its listener has a number.
pub(crate) struct Asking {
    pub parser: Parser,
    pub priority: u8,
    pub rules: RequestRules,
}

impl<'b> Asked<'b> {
    /// Joins what the allows of a direction ask.
    pub fn of(bound: &'b BoundDirection, origin: impl Fn(&hir::Origin) -> Option<OriginId>) -> Asked<'b> {
        let mut shared: BTreeMap<Item<'b>, Shared> = BTreeMap::new();
        for rule in bound.rules.iter().filter(|rule| rule.effect == Effect::Allow) {
            if let Some(l7) = &rule.l7 {
                let shared = shared.entry(item(rule)).or_default();
                shared.server_names.extend(l7.requests.server_names.iter().cloned());
                shared.terminates |= l7.requests.terminates;
            }
        }
        let mut asked = Asked { shared, observes: bound.requests_observed, sets: Vec::new() };
        let sets: BTreeSet<RequestRules> =
            bound.rules.iter().filter_map(|rule| Some(asked.asking(rule, &origin)?.rules)).collect();
        asked.sets = sets.into_iter().collect();
        asked
    }

    /// What a rule asks; `None` for a rule that goes to no proxy.
    pub fn asking(&self, rule: &BoundRule, origin: impl Fn(&hir::Origin) -> Option<OriginId>) -> Option<Asking> {
        if rule.effect != Effect::Allow || self.shared.is_empty() {
            return None;
        }
        let shared = self.shared.get(&item(rule));
        let (parser, priority, requests) = match (rule.l7.as_deref(), shared) {
            (Some(L7 { parser, priority, requests, .. }), _) => (parser.clone(), *priority, requests.clone()),
            // An open rule beside one that wants a server name: the name is wanted of it too.
            (None, Some(shared)) if !shared.server_names.is_empty() => {
                (Parser::Tls, Parser::Tls.default_priority(), Requests::default())
            }
            (None, _) => return None,
        };
        let origin = origin(&list(rule))?;
        let mut requests = requests;
        if let Some(shared) = shared {
            requests.server_names = shared.server_names.iter().cloned().collect();
            requests.terminates = shared.terminates;
        }
        requests.observes = self.observes && requests.rules != Rules::Any;
        Some(Asking { parser, priority, rules: RequestRules { origin, requests } })
    }

    /// The number of request rules.
    pub fn number(&self, rules: &RequestRules) -> Option<RequestsId> {
        self.sets.binary_search(rules).ok().map(|at| RequestsId(at as u32))
    }

    /// All of them, by number.
    pub fn into_sets(self) -> Vec<RequestRules> {
        self.sets
    }
}

/// Where the request rules of a rule are written.
pub(crate) fn list(rule: &BoundRule) -> hir::Origin {
    match &rule.l7 {
        Some(l7) => hir::Origin { object: rule.origin.object.clone(), path: l7.path.clone() },
        None => rule.origin.clone(),
    }
}
