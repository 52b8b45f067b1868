//! How many mutants of the policies some case notices.

use crate::ask::{Answer, failure};
use crate::mutants::{Mutant, mutants};
use crate::suite::Suite;
use driver::{Database, world};
use hir::policy::Policy;
use hir::subject::{self, Class};
use reason::{Cause, Ground, Question};
use rules::Origin;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What became of every mutant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// By object, path and change.
    pub mutants: Vec<(Cause, String, Fate)>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This case notices it: an index into the cases of the suite.
    Killed(usize),
    /// No case notices it, and some flow is decided otherwise.
    Survived,
    /// Every flow of every subject is decided as before: nothing could notice it.
    Equivalent,
}

impl Score {
    /// How many are killed.
    pub fn killed(&self) -> usize {
        self.mutants.iter().filter(|(.., fate)| matches!(fate, Fate::Killed(_))).count()
    }

    /// How many are killed or survive.
    pub fn counted(&self) -> usize {
        self.mutants.iter().filter(|(.., fate)| *fate != Fate::Equivalent).count()
    }

    /// Killed ones of a hundred that count, rounded down; 100 where none counts.
    pub fn percent(&self) -> u32 {
        (self.killed() * 100).checked_div(self.counted()).unwrap_or(100) as u32
    }
}

/// Changes the policies in small ways, one at a time, and asks again what the change may touch. Answers that failed are not asked.
///
/// Cost: mutants × the claims about subjects of their policy, and two diagrams a class for each that no claim notices.
pub fn score(db: &Database, ground: &Ground<'_>, suite: &Suite, answers: &[Answer]) -> Score {
    let holding = answers.iter().filter(|it| it.failures.is_empty());
    let legs = holding.flat_map(|it| it.claim.legs.iter().map(|leg| (it.claim.case, &leg.question)));
    let passed: Vec<Passed<'_>> =
        legs.map(|(case, question)| Passed { case, question, ends: ground.classes(question) }).collect();
    let mut classes: BTreeSet<Class> = world::classes(db).keys().cloned().collect();
    classes.extend(passed.iter().flat_map(|it| it.ends.iter().flatten().cloned()));
    let config = &world::cluster(db).config;
    let mut score = Score::default();
    for (at, policy) in ground.policies().iter().enumerate() {
        if !hir::refusal::refusals(policy, config, db.dialect()).is_empty() {
            continue;
        }
        for mutant in mutants(policy) {
            let fate = fate(ground, suite, at, &mutant, &passed, &classes);
            let origin = Origin { object: policy.object.to_string(), path: mutant.path };
            score.mutants.push((Cause::of(db, &origin), mutant.what, fate));
        }
    }
    score
}

/// A question whose answer is as expected.
struct Passed<'a> {
    case: usize,
    question: &'a Question,
    /// Whose policies are asked.
    ends: [Option<Class>; 2],
}

fn fate(
    ground: &Ground<'_>,
    suite: &Suite,
    at: usize,
    mutant: &Mutant,
    passed: &[Passed<'_>],
    classes: &BTreeSet<Class>,
) -> Fate {
    let before = &ground.policies()[at];
    let mut policies: Vec<Arc<Policy>> = ground.policies().to_vec();
    policies[at] = Arc::new(mutant.policy.clone());
    let changed = ground.but(policies);
    let touched = |class: &Class| about(before, class) || about(&mutant.policy, class);
    for Passed { case, question, ends } in passed {
        if ends.iter().flatten().any(touched) && failure(&suite.cases[*case], &changed.trace(question)).is_some() {
            return Fate::Killed(*case);
        }
    }
    // A class whose diagram is too large to build is taken to differ.
    let agrees = |class: &&Class| ground.agrees(&changed, class).unwrap_or(false);
    match classes.iter().filter(|class| touched(class)).all(|class| agrees(&class)) {
        true => Fate::Equivalent,
        false => Fate::Survived,
    }
}

fn about(policy: &Policy, class: &Class) -> bool {
    policy.sections.iter().any(|section| subject::selects(section, class))
}
