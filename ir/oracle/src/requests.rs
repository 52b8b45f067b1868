//! From flows to requests: what the allows that let a flow through to a proxy say of one request.

use std::collections::BTreeSet;

use flow::{Action, L4Key, ListenerId, PeerId};
use request::{Message, Missing, Refusal, Request, Requests};
use rules::{Effect, Origin, Redirect, RequestRules, Rule, RuleSet};

use crate::decide::{Decision, walk};

/// The answer for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDecision {
    /// What happens to the flow that carries it.
    pub flow: Decision,
    /// What happens to the request.
    pub outcome: RequestOutcome,
    /// For a request that a proxy decided: what admits it, or all that was tried; of one that it cannot read, what makes it read. Lists of
    /// request rules and their members; an allow that asks nothing of requests stands for itself. Sorted, without duplicates.
    pub by: Vec<Origin>,
    /// What would have to be known for the answer to be certain.
    pub missing: BTreeSet<Missing>,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestOutcome {
    /// The flow is denied, so that there is no request.
    Denied,
    /// The flow is allowed and no proxy sees it.
    Direct,
    /// A proxy sees it and lets it pass.
    Admitted,
    /// A proxy sees it and refuses it.
    Refused(Refusal),
    /// A proxy sees it and cannot read it, so that no allow is asked, an open one neither.
    Unread(Refusal),
}

impl RequestOutcome {
    /// Whether the request arrives.
    pub fn passes(self) -> bool {
        matches!(self, RequestOutcome::Direct | RequestOutcome::Admitted)
    }
}

/// What a proxy applies to a flow that it was handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader<'r> {
    /// Which proxy.
    pub listener: ListenerId,
    /// The request rules of the redirect that won: what the proxy must be able to read.
    pub reads: Option<&'r RequestRules>,
    /// Every allow that counts, each with what it asks of requests; `None` for one that asks nothing.
    pub allows: Vec<(&'r Rule, Option<&'r RequestRules>)>,
}

/// What a proxy applies to a flow; `None` when the flow is denied, or passes without a proxy.
pub fn reader(rules: &RuleSet, peer: PeerId, key: L4Key) -> Option<Reader<'_>> {
    let (decision, allows) = walk(rules, peer, key);
    read_by(rules, &decision, &allows)
}

/// Decides one request of a flow.
///
/// What the redirect that won cannot read passes by no allow. Else, of a flow that is redirected, the matching allows of the deciding level are asked, those of other levels never: the request passes when
/// any of them asks nothing of requests or has a rule that matches. An allow with a listener of the user's own counts on that listener
/// only. DNS names are judged by the allows of exactly this port where the rule set says so.
pub fn decide_request(rules: &RuleSet, peer: PeerId, key: L4Key, request: &Request) -> RequestDecision {
    let (flow, allows) = walk(rules, peer, key);
    let settled = |flow, outcome| RequestDecision { flow, outcome, by: Vec::new(), missing: BTreeSet::new() };
    if !flow.verdict.is_allowed() {
        return settled(flow, RequestOutcome::Denied);
    }
    let Some(reader) = read_by(rules, &flow, &allows) else { return settled(flow, RequestOutcome::Direct) };
    let unread = reader.reads.and_then(|reads| Some((reads, request::unread(&reads.requests, request)?)));
    if let Some((reads, refusal)) = unread {
        let by = rules.request_origin(reads, None).into_iter().collect();
        return RequestDecision { by, ..settled(flow, RequestOutcome::Unread(refusal)) };
    }
    let by_port = rules.names_by_port && matches!(request.message, Some(Message::Dns(_)));
    let counting: Vec<_> = reader.allows.iter().filter(|(rule, _)| !by_port || is_exactly(rule, key)).collect();
    let sets: Vec<Option<&Requests>> = counting.iter().map(|(_, asks)| asks.map(|asks| &asks.requests)).collect();
    let judgement = request::judge(&sets, request);
    let origin = |at: usize, member: Option<usize>| match counting.get(at)? {
        (_, Some(asks)) => rules.request_origin(asks, member),
        (rule, None) => rules.origin(rule.origin).cloned(),
    };
    let by: BTreeSet<Origin> = match judgement.is_admitted() {
        true => judgement.admitted.iter().filter_map(|it| origin(it.set, it.rule)).collect(),
        false => (0..counting.len()).filter_map(|at| origin(at, None)).collect(),
    };
    let outcome = match judgement.is_admitted() {
        true => RequestOutcome::Admitted,
        false => RequestOutcome::Refused(judgement.refusal),
    };
    RequestDecision { flow, outcome, by: by.into_iter().collect(), missing: judgement.missing }
}

fn read_by<'r>(rules: &'r RuleSet, decision: &Decision, allows: &[&'r Rule]) -> Option<Reader<'r>> {
    let Action::Redirect(listener) = decision.verdict.action else { return None };
    let asks = |redirect: Redirect| redirect.requests.and_then(|id| rules.requests(id));
    // The redirect that won, as `merge` chose it.
    let winner = allows.iter().filter_map(|rule| redirect(rule)).min_by_key(|it| (it.priority, it.listener));
    let counts = |rule: &&&Rule| match redirect(rule) {
        Some(redirect) => !asks(redirect).is_some_and(|it| it.requests.own) || redirect.listener == listener,
        None => true,
    };
    let allows = allows.iter().filter(counts).map(|rule| (*rule, redirect(rule).and_then(asks))).collect();
    Some(Reader { listener, reads: winner.and_then(asks), allows })
}

fn redirect(rule: &Rule) -> Option<Redirect> {
    match rule.effect {
        Effect::Allow { redirect, .. } => redirect,
        Effect::Deny | Effect::Pass => None,
    }
}

/// Whether a rule names this one key by itself.
fn is_exactly(rule: &Rule, key: L4Key) -> bool {
    rule.l4.intervals().contains(&(key, key))
}
