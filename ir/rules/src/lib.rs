//! States the rules of one subject and direction: tiers of levels of rules, in order, with origins.
//!
//! In: `flow` values, and `request` rules for what goes to a proxy.  Out: [`RuleSet`], the only thing that `oracle` and `diagram` read.
//!
//! # Picture
//! ```text
//!  lower ──► RuleSet ──► oracle (meaning)
//!               │   └──► diagram (canonical form)
//!               └──────► text (print and parse, so that a test can start here)
//! ```
//! # Does not know
//! Selectors, objects, files, kernels. An [`Origin`] is two opaque strings.
//! # Laws
//! Printing and parsing are inverse (`tests/text.rs`); no text makes the parser panic (the same).
//! # Reading order
//! [`RuleSet`] and what it holds, then [`text`] for the form on paper.

mod parse;
mod requests;
pub mod text;

pub use parse::{MAX_PEER, ParseError};

use flow::{Auth, L4Set, ListenerId, Peers};

/// Where a rule came from: the object, and the path inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The object, as its users name it, for example `NetworkPolicy shop/db`.
    pub object: String,
    /// The path inside the object, for example `spec.ingress[0].from[1]`; empty for the object itself.
    pub path: String,
}

/// An index into [`RuleSet::origins`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(pub u32);

/// An index into [`RuleSet::requests`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestsId(pub u32);

/// What an allow asks of requests, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestRules {
    /// The list of rules: rule `n` stands at `[n]` of this path.
    pub origin: OriginId,
    /// What is asked.
    pub requests: request::Requests,
}

/// All rules of one subject in one direction.
///
/// Meaning (see `oracle`): tiers in order, levels in order; in the first level with a match a deny wins over an allow and an
/// allow over a pass; a pass ends its tier; a tier that ends undecided may end the walk; else the fallback decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// In order of evaluation.
    pub tiers: Vec<Tier>,
    /// What happens after the last tier.
    pub fallback: Fallback,
    /// What [`OriginId`]s stand for; sorted, without duplicates.
    pub origins: Vec<Origin>,
    /// What [`ListenerId`]s stand for, by index.
    pub listeners: Vec<String>,
    /// What [`RequestsId`]s stand for, by index. They are no part of a verdict: a proxy applies them to what it was handed.
    pub requests: Vec<RequestRules>,
    /// DNS names are judged only by allows of exactly the port that was asked; otherwise by every allow that matches.
    pub names_by_port: bool,
}

/// One tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// For people.
    pub name: String,
    /// In order of evaluation.
    pub levels: Vec<Level>,
    /// `Some` when traffic that nothing in this tier decided (or that a pass sent on) is denied here, because of these origins.
    pub end: Option<Vec<OriginId>>,
}

/// The rules of one order key. Their own order means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The order key, for people; levels are evaluated as they stand.
    pub order: u32,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who is on the other side.
    pub peers: Peers,
    /// Which protocols and ports. One port item a rule where [`Effect::Allow`] carries authentication or a redirect, so that
    /// specificity is that of the item.
    pub l4: L4Set,
    /// What the rule does with what it matches.
    pub effect: Effect,
    /// Where it came from.
    pub origin: OriginId,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Drop.
    Deny,
    /// Let through.
    Allow {
        /// Through this proxy.
        redirect: Option<Redirect>,
        /// `None` inherits from the less specific allows of the same peer in the level.
        auth: Option<Auth>,
    },
    /// Leave the decision to the next tier.
    Pass,
}

impl Effect {
    /// Let through, nothing else.
    pub const ALLOW: Effect = Effect::Allow { redirect: None, auth: None };
}

/// A redirect and its precedence among other redirects of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redirect {
    /// Where to.
    pub listener: ListenerId,
    /// 1 to 126, the smaller wins; then the smaller listener number.
    pub priority: u8,
    /// What it asks of requests; `None` when nothing.
    pub requests: Option<RequestsId>,
}

/// The decision after the last tier, and the origins that made it so (those that isolate the subject; empty for allow).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing isolates the subject.
    Allow,
    /// These isolate it.
    Deny(Vec<OriginId>),
}

impl RuleSet {
    /// A rule set without tiers.
    pub fn of_fallback(fallback: Fallback) -> RuleSet {
        RuleSet {
            tiers: Vec::new(),
            fallback,
            origins: Vec::new(),
            listeners: Vec::new(),
            requests: Vec::new(),
            names_by_port: false,
        }
    }

    /// Sorts [`RuleSet::origins`], removes duplicates, and renumbers and sorts what refers to them.
    ///
    /// For makers of rule sets that number origins as they meet them. Numbers without an origin are left as they are.
    pub fn sort_origins(&mut self) {
        let mut sorted = self.origins.clone();
        sorted.sort_unstable();
        sorted.dedup();
        // Cannot miss: `sorted` holds every origin, so the search always finds the place of one that is there.
        let place = |origin: &Origin| OriginId(sorted.partition_point(|other| other < origin) as u32);
        let new_of: Vec<OriginId> = self.origins.iter().map(place).collect();
        let renumber = |id: &mut OriginId| *id = new_of.get(id.0 as usize).copied().unwrap_or(*id);
        let renumber_list = |list: &mut Vec<OriginId>| {
            list.iter_mut().for_each(renumber);
            list.sort_unstable();
            list.dedup();
        };
        for tier in &mut self.tiers {
            tier.levels.iter_mut().flat_map(|level| &mut level.rules).for_each(|rule| renumber(&mut rule.origin));
            tier.end.iter_mut().for_each(renumber_list);
        }
        if let Fallback::Deny(isolating) = &mut self.fallback {
            renumber_list(isolating);
        }
        self.requests.iter_mut().for_each(|rules| renumber(&mut rules.origin));
        self.origins = sorted;
    }

    /// Gives back room that is kept for more rules.
    pub fn shrink(&mut self) {
        self.tiers.shrink_to_fit();
        for level in self.tiers.iter_mut().flat_map(|tier| &mut tier.levels) {
            level.rules.shrink_to_fit();
        }
        self.origins.shrink_to_fit();
    }

    /// What an origin number stands for; `None` for a number of another rule set.
    pub fn origin(&self, id: OriginId) -> Option<&Origin> {
        self.origins.get(id.0 as usize)
    }

    /// What a number of request rules stands for; `None` for a number of another rule set.
    pub fn requests(&self, id: RequestsId) -> Option<&RequestRules> {
        self.requests.get(id.0 as usize)
    }

    /// Where a request rule is written: the whole list, or one of its members.
    pub fn request_origin(&self, rules: &RequestRules, member: Option<usize>) -> Option<Origin> {
        let Origin { object, path } = self.origin(rules.origin)?.clone();
        let path = member.map_or(path.clone(), |at| format!("{path}[{at}]"));
        Some(Origin { object, path })
    }

    /// All rules in the order of evaluation; within a level as they stand.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.tiers.iter().flat_map(|tier| &tier.levels).flat_map(|level| &level.rules)
    }
}
