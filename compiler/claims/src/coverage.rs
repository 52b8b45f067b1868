//! Which rules and defaults decide some case, and which none.

use crate::ask::Answer;
use driver::{Database, world};
use flow::Direction;
use hir::policy::{Isolation, L3, Policy};
use reason::{Cause, Stand};
use rules::Origin;
use std::collections::{BTreeMap, BTreeSet};

/// What cases exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By object and path.
    pub rules: Vec<Covered>,
}

/// One rule or default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Where it stands.
    pub cause: Cause,
    /// Whether it is what denies by default, and no rule.
    pub default: bool,
    /// The cases whose verdict at either end it makes, ascending.
    pub cases: BTreeSet<usize>,
}

impl Coverage {
    /// How many are exercised.
    pub fn exercised(&self) -> usize {
        self.rules.iter().filter(|it| !it.cases.is_empty()).count()
    }

    /// Exercised ones of a hundred, rounded down; 100 where there is nothing to exercise.
    pub fn percent(&self) -> u32 {
        (self.exercised() * 100).checked_div(self.rules.len()).unwrap_or(100) as u32
    }
}

/// Counts for every rule of every policy which cases it decides, at either end.
pub fn coverage(db: &Database, answers: &[Answer]) -> Coverage {
    let config = &world::cluster(db).config;
    let dialect = db.dialect();
    let index = world::index(db);
    let policies = index.values().flat_map(|policies| policies.iter());
    let taking_part = policies.filter(|policy| hir::refusal::refusals(policy, config, dialect).is_empty());
    let mut rules: BTreeMap<Origin, (bool, BTreeSet<usize>)> = BTreeMap::new();
    for policy in taking_part {
        rules.extend(places(policy).into_iter().map(|(origin, default)| (origin, (default, BTreeSet::new()))));
    }
    for answer in answers {
        for side in answer.traces.iter().flat_map(|trace| [&trace.egress, &trace.ingress]) {
            let Stand::Decided(rows) = &side.stand else { continue };
            for cause in rows.iter().flat_map(|row| &row.by) {
                if let Some((_, cases)) = rules.get_mut(&cause.origin) {
                    cases.insert(answer.claim.case);
                }
            }
        }
    }
    let covered =
        rules.into_iter().map(|(origin, (default, cases))| Covered { cause: Cause::of(db, &origin), default, cases });
    Coverage { rules: covered.collect() }
}

/// Every place of a policy that can decide a flow, and whether it does so by default only.
fn places(policy: &Policy) -> BTreeMap<Origin, bool> {
    let origin = |path: &str| Origin { object: policy.object.to_string(), path: path.to_owned() };
    let mut places = BTreeMap::new();
    for section in &policy.sections {
        for direction in Direction::BOTH {
            if let Isolation::Isolates(path) = section.isolation(direction) {
                places.insert(origin(path), true);
            }
        }
        for entry in &section.entries {
            match &entry.l3 {
                L3::Any(peers) => places.extend(peers.iter().map(|peer| (origin(&peer.path), false))),
                L3::Unrestricted => drop(places.insert(origin(&entry.path), false)),
                // Nobody is let through or kept out by it.
                L3::Nobody => {}
            }
        }
    }
    places
}
