//! What a proxy asks of the requests of one flow, and what it says of one.

use crate::trace::Cause;
use driver::Db;
use flow::{L4Key, PeerId};
use oracle::RequestOutcome;
use request::{Missing, Refusal, Request, Stopped};
use rules::RuleSet;
use std::collections::BTreeSet;

/// A flow that goes to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// Which proxy, for example `http`.
    pub proxy: String,
    /// Everything that admits requests, any of it.
    pub asks: Vec<Asks>,
    /// What no longer works on this port.
    pub stopped: Vec<Stopped>,
    /// What becomes of the request, where one was asked.
    pub answer: Option<Answer>,
}

/// Something that admits requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Where it stands.
    pub cause: Cause,
    /// What a request must be, in the words of rule sets; `None` admits every request.
    pub what: Option<String>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub request: Request,
    /// How the refusal looks; `None` when it passes.
    pub refusal: Option<Refusal>,
    /// Whether the proxy cannot read it, so that no allow is asked.
    pub unread: bool,
    /// What admits it, or all that was tried; of what cannot be read, the rules that make the proxy read.
    pub by: Vec<Cause>,
    /// What would have to be known for the answer to be certain; without it what depends on it admits nothing.
    pub missing: BTreeSet<Missing>,
}

impl Proxied {
    /// Whether the verdict is open until somebody asks: no request was given, and not every one is admitted.
    pub fn depends(&self) -> bool {
        self.answer.is_none() && !self.asks.iter().any(|asks| asks.what.is_none())
    }

    /// Whether the request that was asked is refused.
    pub fn refuses(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.refusal.is_some())
    }
}

/// What a proxy does with a flow; `None` when none sees it.
pub(crate) fn proxied(
    db: &dyn Db,
    rules: &RuleSet,
    peer: PeerId,
    key: L4Key,
    request: Option<&Request>,
) -> Option<Proxied> {
    let reader = oracle::reader(rules, peer, key)?;
    let mut asks = Vec::new();
    for (rule, requests) in &reader.allows {
        let Some(requests) = requests else {
            asks.extend(rules.origin(rule.origin).map(|origin| Asks { cause: Cause::of(db, origin), what: None }));
            continue;
        };
        let lines = rules.request_lines(requests);
        for (member, what) in lines {
            let origin = rules.request_origin(requests, member);
            asks.extend(origin.map(|origin| Asks { cause: Cause::of(db, &origin), what: Some(what) }));
        }
    }
    let sets: Vec<Option<&request::Requests>> =
        reader.allows.iter().map(|(_, asks)| asks.map(|asks| &asks.requests)).collect();
    let stopped = reader.reads.map(|reads| request::stopped(&reads.requests, &sets)).unwrap_or_default();
    let answer = request.map(|request| {
        let decision = oracle::decide_request(rules, peer, key, request);
        let unread = matches!(decision.outcome, RequestOutcome::Unread(_));
        let refusal = match decision.outcome {
            RequestOutcome::Refused(refusal) | RequestOutcome::Unread(refusal) => Some(refusal),
            RequestOutcome::Denied | RequestOutcome::Direct | RequestOutcome::Admitted => None,
        };
        let by = decision.by.iter().map(|origin| Cause::of(db, origin)).collect();
        Answer { request: request.clone(), refusal, unread, by, missing: decision.missing }
    });
    let proxy = rules.listeners.get(usize::from(reader.listener.0)).cloned().unwrap_or_default();
    Some(Proxied { proxy, asks, stopped, answer })
}
