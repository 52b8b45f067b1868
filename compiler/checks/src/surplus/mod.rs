//! Rules and policies without effect: what could be removed and no verdict would change, for any pod that there is or could be.
//!
//! ```text
//!  policies ─index─► sections that surely share their subjects ─covered─► candidates ─trial─► decided on diagrams, with a witness
//! ```
//! A candidate follows from the text alone, so that it holds in every cluster: each part of the rule is decided by rules that are about
//! all of its subjects. Diagrams are the judge: of every class that a candidate is about, those with and without it must be equal.

mod covered;
mod index;
mod say;
mod trial;
mod without;

use std::collections::BTreeSet;
use std::sync::Arc;

use diag::Diagnostic;
use driver::Db;
use hir::{Policy, refusals};

use crate::find::Finder;
use crate::{
    tg0220_redundant_rule, tg0221_shadowed_rule, tg0222_unreachable_rule, tg0223_conflicting_rules,
    tg0224_redundant_policy,
};
use covered::Kill;
pub(crate) use covered::Lost;
pub(crate) use index::Index;
use index::RuleAt;
pub(crate) use say::{Said, place};
use trial::Gone;
pub(crate) use trial::Trial;

/// What is without effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Other rules say all of it.
    Redundant,
    /// Denies take back all of it.
    Shadowed,
    /// It is decided before it is asked.
    Unreachable,
    /// A deny takes back one of the peers or ports that it lists.
    Conflict(Lost),
    /// Other policies do all that the policy does.
    Policy,
}

/// One candidate.
pub(crate) struct Candidate {
    pub kind: Kind,
    /// The rule, or the first of the policy.
    pub rule: Option<RuleAt>,
    /// Where the policy stands in [`Index::policies`].
    pub policy: usize,
}

/// The policies that the cluster does not refuse.
pub(crate) fn in_force(finder: &Finder) -> Vec<Arc<Policy>> {
    let all = finder.others.policies.values().flat_map(|policies| policies.iter());
    all.filter(|it| refusals(it, &finder.cluster.config, finder.dialect).is_empty()).cloned().collect()
}

/// Everything without effect, worded.
///
/// Cost: rules times the rules of the policies that surely share their subjects; then diagrams of the classes that candidates are about.
pub(crate) fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>) -> Vec<Diagnostic> {
    let candidates = candidates(index, finder);
    if candidates.is_empty() {
        return Vec::new();
    }
    let suspects = candidates.iter().map(|it| it.policy).collect();
    let trial = Trial::new(db, index, &suspects, finder, &[], None);
    let mut found = Vec::new();
    for candidate in trial.confirmed(&candidates) {
        let Some(said) = Said::new(db, index, candidate, trial.witness(candidate)) else { continue };
        found.extend(match &candidate.kind {
            Kind::Redundant => tg0220_redundant_rule::render(db, &said),
            Kind::Shadowed => tg0221_shadowed_rule::render(db, finder, &said),
            Kind::Unreachable => tg0222_unreachable_rule::render(db, &said),
            Kind::Conflict(lost) => tg0223_conflicting_rules::render(db, finder, &said, lost),
            Kind::Policy => tg0224_redundant_policy::render(db, &said),
        });
    }
    found
}

/// What the text alone says is without effect. Removing all that is redundant at once changes no verdict either.
fn candidates(index: &Index<'_>, finder: &Finder) -> Vec<Candidate> {
    // Why: what one section requires of peers narrows the rules of all others, so that no cover is certain.
    if index.whole.requires {
        return Vec::new();
    }
    let covers = covered::Covers::new(index, finder);
    let mut found = Vec::new();
    let mut gone: BTreeSet<RuleAt> = BTreeSet::new();
    let mut gone_policies: BTreeSet<usize> = BTreeSet::new();
    // The last of several that say the same goes, so that the first stays.
    for policy in (0..index.policies.len()).rev() {
        if covers.policy_is_covered(policy, &gone, &gone_policies) {
            gone.extend(index.rules_of(policy));
            gone_policies.insert(policy);
            let rule = index.rules_of(policy).next();
            found.push(Candidate { kind: Kind::Policy, rule, policy });
        }
    }
    for rule in (0..index.rules.len()).rev().map(RuleAt).filter(|it| !gone.contains(it)).collect::<Vec<_>>() {
        let policy = index.policy_of(rule);
        let kind = match covers.kills(rule, |other| other == rule || gone.contains(&other)) {
            Ok(kills) => kind(&kills, index.allows(rule)),
            Err(lost) => lost.map(Kind::Conflict),
        };
        match kind {
            Some(Kind::Redundant) if !index.may_go(rule, &gone) => {}
            Some(Kind::Redundant) => {
                gone.insert(rule);
                found.push(Candidate { kind: Kind::Redundant, rule: Some(rule), policy });
            }
            Some(kind) => found.push(Candidate { kind, rule: Some(rule), policy }),
            None => {}
        }
    }
    found.reverse();
    found
}

/// What follows from how every part of a rule is decided; `None` for a rule without parts, which other checks name.
fn kind(kills: &BTreeSet<Kill>, allows: bool) -> Option<Kind> {
    if kills.is_empty() {
        return None;
    }
    Some(match () {
        () if kills.contains(&Kill::Same) => Kind::Redundant,
        () if allows && kills.iter().all(|it| *it == Kill::Denied) => Kind::Shadowed,
        () => Kind::Unreachable,
    })
}

impl Candidate {
    /// What is taken away to see whether anything changes.
    fn gone<'i>(&self, index: &'i Index<'_>) -> Option<Gone<'i>> {
        match &self.kind {
            Kind::Policy => Some(Gone::Policy(index.object(self.policy))),
            Kind::Conflict(_) => None,
            _ => self.rule.map(|rule| Gone::Rule(index.object(self.policy), index.path(rule))),
        }
    }
}
