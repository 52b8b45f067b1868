//! Asks claims, and compares the answers with what was expected.

use crate::compile::{Claim, NO_RULE, path_in};
use crate::suite::{Case, Expect, Suite};
use flow::Action;
use oracle::Because;
use reason::trace::{Outcome, Row};
use reason::{Cause, Ground, Side, Stand, Trace};
use rules::Origin;

/// What became of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The claim.
    pub claim: Claim,
    /// What the policies say of each leg of the claim.
    pub traces: Vec<Trace>,
    /// The legs whose answers differ from what was expected, and how; empty when the claim holds.
    pub failures: Vec<(usize, Failure)>,
}

/// How an answer differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It ends otherwise.
    Verdict {
        /// As expected.
        expected: Expect,
        /// As found.
        found: Expect,
    },
    /// It ends as expected, but not because of this.
    By(String),
}

/// Asks every claim of a suite. A claim holds where each of its legs ends as expected.
pub fn ask(ground: &Ground<'_>, suite: &Suite, claims: Vec<Claim>) -> Vec<Answer> {
    let answer = |claim: Claim| {
        let traces: Vec<Trace> = claim.legs.iter().map(|leg| ground.trace(&leg.question)).collect();
        let case = &suite.cases[claim.case];
        let failures = traces.iter().enumerate().filter_map(|(at, trace)| Some((at, failure(case, trace)?))).collect();
        Answer { claim, traces, failures }
    };
    claims.into_iter().map(answer).collect()
}

/// How a trace differs from what a case expects.
pub(crate) fn failure(case: &Case, trace: &Trace) -> Option<Failure> {
    let found = found(trace);
    let met = found == case.expect || case.expect == Expect::Allow && found == Expect::Redirect;
    if !met {
        return Some(Failure::Verdict { expected: case.expect, found });
    }
    let missing = case.by.iter().find(|word| !is_by(&word.text, trace))?;
    Some(Failure::By(missing.text.clone()))
}

/// How a flow ends. One that goes to a proxy with a request that was asked ends as the request does.
pub fn found(trace: &Trace) -> Expect {
    match trace.outcome() {
        Outcome::Deny => Expect::Deny,
        Outcome::Unknown => Expect::Unknown,
        Outcome::Depends => Expect::Redirect,
        Outcome::Allow => {
            let redirected = rows(&trace.egress)
                .iter()
                .chain(rows(&trace.ingress))
                .any(|row| matches!(row.verdict.action, Action::Redirect(_)));
            if redirected { Expect::Redirect } else { Expect::Allow }
        }
    }
}

fn rows(side: &Side) -> &[Row] {
    match &side.stand {
        Stand::Decided(rows) => rows,
        Stand::Unmanaged(_) | Stand::Unknown(_) | Stand::Itself | Stand::Nobody(_) => &[],
    }
}

/// The ends that make a verdict: of a denied flow those that deny it.
fn telling(trace: &Trace) -> impl Iterator<Item = &Side> {
    let outcome = trace.outcome();
    let sides = [&trace.egress, &trace.ingress].into_iter();
    sides.filter(move |side| outcome != Outcome::Deny || side.outcome() == Outcome::Deny)
}

/// Everything that makes a verdict.
pub fn causes(trace: &Trace) -> Vec<&Cause> {
    let rows = telling(trace).flat_map(rows);
    rows.flat_map(|row| row.by.iter().chain(row.proxied.iter().flat_map(answering))).collect()
}

/// What admits a request, or was tried for it.
fn answering(proxied: &reason::proxied::Proxied) -> impl Iterator<Item = &Cause> {
    proxied.answer.iter().flat_map(|answer| &answer.by)
}

/// Whether what a test names makes a verdict.
fn is_by(word: &str, trace: &Trace) -> bool {
    if word == NO_RULE {
        let mut sides = telling(trace);
        let by_default = |row: &Row| !matches!(row.because, Because::Rule { .. });
        return match trace.outcome() {
            Outcome::Deny => {
                sides.any(|side| matches!(side.stand, Stand::Nobody(_)) || rows(side).iter().any(by_default))
            }
            Outcome::Allow | Outcome::Depends | Outcome::Unknown => sides.all(|side| rows(side).iter().all(by_default)),
        };
    }
    causes(trace).iter().any(|cause| names(word, &cause.origin))
}

/// Whether a word names a place or what holds it; the kind and `spec.` may be left out.
fn names(word: &str, origin: &Origin) -> bool {
    let Some(wanted) = path_in(word, &origin.object) else { return false };
    let holds =
        |path: &str| path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    wanted.is_empty() || holds(&origin.path) || origin.path.strip_prefix("spec.").is_some_and(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_itself_or_by_what_holds_it() {
        let origin = Origin { object: "NetworkPolicy shop/db".into(), path: "spec.ingress[1].from[0]".into() };
        for word in [
            "NetworkPolicy shop/db spec.ingress[1].from[0]",
            "NetworkPolicy shop/db spec.ingress[1]",
            "shop/db ingress[1]",
            "shop/db ingress[1].from",
            "shop/db",
        ] {
            assert!(names(word, &origin), "{word}");
        }
        for word in
            ["shop/db ingress[10]", "shop/db ingress[1].f", "shop/d", "shop/dba", "web shop/db", "shop/db egress"]
        {
            assert!(!names(word, &origin), "{word}");
        }
    }
}
