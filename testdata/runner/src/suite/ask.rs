//! Puts flows to an engine and joins the answers of both ends.

use super::row::{By, Expect, Expected};
use crate::engine::{self, Engine, NotAsked, Outcome, Place, Question, World};
use driver::meaning::slot;
use flow::{Action, Auth, Verdict};
use oracle::Because;
use rules::Origin;
use std::collections::BTreeMap;

/// One flow of one family: what is asked at the source and at the destination; `None` where nothing is enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The line of the row.
    pub line: usize,
    /// The flow in words.
    pub words: String,
    /// What the row expects.
    pub expected: Expected,
    /// Both questions.
    pub ends: [Option<(Place, Question)>; 2],
}

/// What one engine says of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What happens.
    pub outcome: Outcome,
    /// The whole verdict, of engines that have it.
    pub verdict: Option<Verdict>,
    /// Whom it is owed to; `None` of engines that do not know.
    pub why: Option<Why>,
}

/// Whom a verdict is owed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing is enforced here.
    NoPolicy,
    /// Something isolates the subject, and nothing allows the flow.
    Default,
    /// These rules.
    Rules(Vec<Origin>),
}

/// Asks an engine all flows; each subject once. The answers are in the order of the flows.
///
/// Errors: text for people, when the engine breaks.
pub fn ask(engine: &mut dyn Engine, world: &World<'_>, flows: &[Asked]) -> Result<Vec<Result<Flow, NotAsked>>, String> {
    let mut by_place: BTreeMap<&Place, Vec<(usize, usize, Question)>> = BTreeMap::new();
    for (at, flow) in flows.iter().enumerate() {
        for (slot, (place, question)) in
            flow.ends.iter().enumerate().filter_map(|(slot, end)| Some((slot, end.as_ref()?)))
        {
            by_place.entry(place).or_default().push((at, slot, *question));
        }
    }
    let mut answered = vec![Ok(Flow { ends: [None, None] }); flows.len()];
    for (place, asked) in by_place {
        let questions: Vec<Question> = asked.iter().map(|(.., question)| *question).collect();
        let replies = engine.ask(place, &questions)?;
        for ((at, slot, question), reply) in asked.into_iter().zip(replies) {
            match (reply, &mut answered[at]) {
                (Ok(answer), Ok(flow)) => flow.ends[slot] = Some(Answer::of(answer, world, place, &question)?),
                (Err(why), flow) => *flow = Err(why),
                (Ok(_), Err(_)) => {}
            }
        }
    }
    Ok(answered)
}

impl Answer {
    fn of(answer: engine::Answer, world: &World<'_>, place: &Place, question: &Question) -> Result<Answer, String> {
        let why = match answer.decision {
            None => None,
            Some(decision) => Some(match decision.because {
                Because::Rule { .. } => {
                    let rules = &world.asked(place)?.rules[slot(question.direction)];
                    Why::Rules(decision.by.iter().filter_map(|id| rules.origin(*id).cloned()).collect())
                }
                _ if decision.verdict.is_allowed() => Why::NoPolicy,
                _ => Why::Default,
            }),
        };
        Ok(Answer { outcome: answer.outcome, verdict: answer.verdict, why })
    }
}

/// Both ends of one flow, as one engine answers; `None` where nothing is enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// At the source and at the destination.
    pub ends: [Option<Answer>; 2],
}

impl Flow {
    /// What happens to the whole flow: the worst of both ends.
    pub fn outcome(&self) -> Outcome {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Allow => 0,
            Outcome::Redirect => 1,
            Outcome::Auth => 2,
            Outcome::Deny => 3,
            Outcome::Other(_) => 4,
        };
        self.answers().map(|answer| answer.outcome).max_by_key(rank).unwrap_or(Outcome::Allow)
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.ends.iter().flatten()
    }

    /// The whole verdict of both ends; `None` of an engine that knows the outcome only.
    fn verdict(&self) -> Option<(Expect, Auth)> {
        let verdicts: Vec<Verdict> = self.answers().map(|answer| answer.verdict).collect::<Option<_>>()?;
        let auth = verdicts.iter().map(|verdict| verdict.auth).max().unwrap_or_default();
        Some(match () {
            _ if verdicts.iter().any(|verdict| verdict.action == Action::Deny) => (Expect::Deny, Auth::Disabled),
            _ if verdicts.iter().any(|verdict| matches!(verdict.action, Action::Redirect(_))) => {
                (Expect::Redirect, auth)
            }
            _ => (Expect::Allow, auth),
        })
    }

    /// What is not as expected; `None` when all is.
    pub fn differs(&self, expected: &Expected) -> Option<String> {
        let wanted = match (expected.verdict, expected.auth) {
            (Expect::Deny, _) => Outcome::Deny,
            (_, Auth::Required | Auth::AlwaysFail) => Outcome::Auth,
            (Expect::Redirect, Auth::Disabled) => Outcome::Redirect,
            (Expect::Allow, Auth::Disabled) => Outcome::Allow,
        };
        let whole = self.verdict().is_none_or(|verdict| verdict == (expected.verdict, expected.auth));
        if self.outcome() != wanted || !whole {
            return Some(format!("expected {}, got {}", words(expected.verdict, expected.auth), self.outcome()));
        }
        if self.answers().any(|answer| answer.why.is_none()) {
            return None;
        }
        let by = expected.by.as_ref()?;
        (!self.is_owed_to(by)).then(|| "the verdict is right, but owed to others".to_owned())
    }

    /// Of a flow that is denied the ends that deny it count, of one that passes both.
    fn is_owed_to(&self, by: &By) -> bool {
        let denied = !self.outcome().passes();
        let counts = |answer: &&Answer| !denied || !answer.outcome.passes();
        let whys: Vec<&Why> = self.answers().filter(counts).filter_map(|answer| answer.why.as_ref()).collect();
        let origins: Vec<&Origin> = whys
            .iter()
            .flat_map(|why| match why {
                Why::Rules(origins) => origins.iter().collect(),
                _ => Vec::new(),
            })
            .collect();
        match by {
            By::NoPolicy => whys.iter().all(|why| **why == Why::NoPolicy),
            By::Default => !whys.is_empty() && whys.iter().all(|why| **why == Why::Default),
            By::Origins(written) => {
                !origins.is_empty()
                    && written.iter().all(|word| origins.iter().any(|origin| is_called(origin, word)))
                    && origins.iter().all(|origin| written.iter().any(|word| is_called(origin, word)))
            }
        }
    }

    /// Both ends in words.
    pub fn explained(&self) -> String {
        let end = |name: &str, answer: &Option<Answer>| match answer {
            None => format!("{name}: nothing enforced"),
            Some(answer) => {
                let by = match &answer.why {
                    None => String::new(),
                    Some(Why::NoPolicy) => " by no policy".to_owned(),
                    Some(Why::Default) => " by default".to_owned(),
                    Some(Why::Rules(origins)) => {
                        format!(" by {}", origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(", "))
                    }
                };
                format!("{name}: {}{by}", answer.outcome)
            }
        };
        format!("{}; {}", end("egress", &self.ends[0]), end("ingress", &self.ends[1]))
    }
}

fn words(verdict: Expect, auth: Auth) -> String {
    let verdict = match verdict {
        Expect::Allow => "allow",
        Expect::Redirect => "redirect",
        Expect::Deny => "deny",
    };
    match auth {
        Auth::Disabled => verdict.to_owned(),
        Auth::Required => format!("{verdict} auth required"),
        Auth::AlwaysFail => format!("{verdict} auth always-fail"),
    }
}

/// Whether an origin is meant by `[KIND ]NAMESPACE/NAME [PATH]`: the path may lack `spec.` and its end.
pub(super) fn is_called(origin: &Origin, word: &str) -> bool {
    let object = &origin.object;
    let short = object.split_once(' ').map_or(object.as_str(), |(_, name)| name);
    let path = origin.path.as_str();
    let rests = [object.as_str(), short].into_iter().filter_map(|name| word.strip_prefix(name));
    rests.into_iter().any(|rest| {
        let rest = rest.trim();
        let begins = |path: &str| {
            path.strip_prefix(rest).is_some_and(|end| rest.is_empty() || end.is_empty() || end.starts_with(['.', '[']))
        };
        begins(path) || path.strip_prefix("spec.").is_some_and(begins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_may_be_named_shortly_but_not_wrongly() {
        let origin = Origin { object: "NetworkPolicy a/p".to_owned(), path: "spec.ingress[1].from[0]".to_owned() };
        for word in ["a/p", "a/p ingress[1]", "NetworkPolicy a/p spec.ingress[1].from[0]", "a/p ingress"] {
            assert!(is_called(&origin, word), "{word}");
        }
        for word in ["a/q", "a/p ingress[0]", "a/p ing", "CiliumNetworkPolicy a/p"] {
            assert!(!is_called(&origin, word), "{word}");
        }
    }

    #[test]
    fn one_end_that_denies_denies_the_flow() {
        let answer = |verdict: Verdict, why| {
            Some(Answer { outcome: Outcome::of(verdict), verdict: Some(verdict), why: Some(why) })
        };
        let flow = Flow { ends: [answer(Verdict::ALLOW, Why::NoPolicy), answer(Verdict::DENY, Why::Default)] };
        assert_eq!((flow.outcome(), flow.verdict()), (Outcome::Deny, Some((Expect::Deny, Auth::Disabled))));
        assert!(flow.is_owed_to(&By::Default) && !flow.is_owed_to(&By::NoPolicy));
    }
}
