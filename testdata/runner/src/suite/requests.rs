//! Rows of a `requests` block: what becomes of a request that a flow carries.
//!
//! ```text
//! [egress: | ingress:] SOURCE -> DESTINATION PROTOCOL PORT  REQUEST  => FATE [by WHOM]
//!
//! a/cli -> a/web  tcp 8080  http GET /api?x=1 header "X-A: 1"  => 403
//! a/cli -> dns    udp 53    dns www.example.com                => pass by a/p egress[0].toPorts[0].rules.dns[1]
//! ```
//!
//! A request is written as `request::Request` prints it. `pass` is by a proxy, `direct` without one, `deny` that the flow is denied; the
//! words of `request::Refusal` are refusals. The oracle is the only engine that knows of requests.

use super::ask::is_called;
use super::cluster::World as Facts;
use super::flows;
use super::row::Row;
use crate::engine::{Place, Question, World};
use driver::meaning::slot;
use oracle::{RequestDecision, RequestOutcome};
use request::{Refusal, Request};
use std::collections::BTreeSet;

/// Asks the oracle one row.
///
/// Errors: what is not understood, or what is otherwise than the row says.
pub fn compare(facts: &Facts, world: &World<'_>, line: usize, text: &str) -> Result<usize, String> {
    let (asked, expected) = text.split_once("=>").ok_or_else(|| format!("`{text}` has no `=>`"))?;
    let (flow, request) = parts(asked)?;
    let request = Request::parse(request).map_err(|error| error.to_string())?;
    let (fate, by) = expected.split_once(" by ").map_or((expected, None), |(fate, by)| (fate, Some(by)));
    let row = Row::read(&format!("{flow} allow"))?;
    let flows = flows::of_row(facts, world, line, &row)?;
    for flow in &flows {
        let mut ends = Vec::new();
        for (place, question) in flow.ends.iter().flatten() {
            ends.push(decide(world, place, question, &request)?);
        }
        let worst = ends.iter().map(|end| end.outcome).max_by_key(|outcome| rank(*outcome));
        let found = worst.unwrap_or(RequestOutcome::Direct);
        let deciding = ends.iter().filter(|end| end.outcome == found);
        let origins: BTreeSet<_> = deciding.flat_map(|end| end.by.iter().cloned()).collect();
        let told = format!("{} by {origins:?}", word(found));
        if word(found) != fate.trim() {
            return Err(format!("{}: expected {}, it is {told}", flow.words, fate.trim()));
        }
        if let Some(by) = by {
            let written: Vec<&str> = by.split(',').map(str::trim).collect();
            let all = written.iter().all(|word| origins.iter().any(|origin| is_called(origin, word)));
            if !all || !origins.iter().all(|origin| written.iter().any(|word| is_called(origin, word))) {
                return Err(format!("{}: expected by {by}, it is {told}", flow.words));
            }
        }
    }
    Ok(flows.len())
}

/// The flow and the request of a row: behind the destination stand a protocol and a port.
fn parts(asked: &str) -> Result<(&str, &str), String> {
    let incomplete = || format!("`{asked}` is no `SOURCE -> DESTINATION PROTOCOL PORT REQUEST`");
    let mut at = asked.find("->").ok_or_else(incomplete)? + 2;
    for _ in 0..3 {
        let word = asked[at..].trim_start();
        at = asked.len() - word.len() + word.find(' ').ok_or_else(incomplete)?;
    }
    Ok((asked[..at].trim(), asked[at..].trim()))
}

fn decide(world: &World<'_>, place: &Place, question: &Question, request: &Request) -> Result<RequestDecision, String> {
    let compiled = world.compiled(&place.class)?;
    let rules = &compiled.rules[slot(question.direction)];
    let peer = world.peer(place.node.as_deref(), question.peer);
    Ok(oracle::decide_request(rules, peer, question.key, request))
}

fn rank(outcome: RequestOutcome) -> u8 {
    match outcome {
        RequestOutcome::Direct => 0,
        RequestOutcome::Admitted => 1,
        RequestOutcome::Refused(_) | RequestOutcome::Unread(_) => 2,
        RequestOutcome::Denied => 3,
    }
}

fn word(outcome: RequestOutcome) -> &'static str {
    match outcome {
        RequestOutcome::Direct => "direct",
        RequestOutcome::Admitted => "pass",
        RequestOutcome::Denied => "deny",
        RequestOutcome::Refused(refusal) | RequestOutcome::Unread(refusal) => {
            let known = Refusal::ALL.into_iter().find(|(_, it)| *it == refusal);
            known.map_or("refused", |(word, _)| word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_request_begins_behind_the_port() {
        let row = "ingress: a/cli -> a/web  tcp 8080   http GET /x ";
        assert_eq!(parts(row), Ok(("ingress: a/cli -> a/web  tcp 8080", "http GET /x")));
        assert!(parts("a/cli -> a/web tcp").is_err());
    }
}
