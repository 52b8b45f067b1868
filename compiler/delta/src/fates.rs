//! What becomes of one flow at one end, and how that differs between two sides.

use crate::rows::Kind;
use flow::{Action, Auth, L4Key, PeerId, Verdict};
use oracle::Because;
use request::{Requests, Rules};
use rules::{Origin, RuleSet};
use std::collections::BTreeSet;

/// What becomes of a flow at one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fate {
    /// Whether and how it passes.
    pub passes: Passes,
    /// What must hold first.
    pub auth: Auth,
}

/// Whether and how a flow passes one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passes {
    /// It does not.
    Denied,
    /// It passes.
    Directly,
    /// It passes through a proxy.
    Proxied {
        /// Which one, for example `http`.
        proxy: String,
        /// What the proxy admits, in the words of rule sets, sorted; empty when it admits everything.
        asks: Vec<String>,
    },
}

impl Fate {
    /// Whether anything may pass.
    pub fn is_allowed(&self) -> bool {
        self.passes != Passes::Denied && self.auth != Auth::AlwaysFail
    }
}

/// What decided at one end on one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decided {
    /// What becomes of the flow.
    pub fate: Fate,
    /// Which step decided.
    pub step: Step,
    /// The rules that made it so; where it is closed by default, what isolates the subject.
    pub by: Vec<Origin>,
}

/// Which step decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Rules.
    Rules,
    /// No rule allows it, and the subject is isolated.
    Isolated,
    /// No rule speaks of it, and nothing isolates the subject.
    Open,
}

/// Rules of one side, and what the other end is to them.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub rules: &'r RuleSet,
    pub peer: PeerId,
}

/// How one flow changes, and what decides; `None` where it is decided alike.
pub(crate) fn compare(was: Asked<'_>, is: Asked<'_>, key: L4Key) -> Option<(Kind, Decided, Decided)> {
    let (old, new) = (decide(was.rules, was.peer, key), decide(is.rules, is.peer, key));
    let kind = match (old.fate.is_allowed(), new.fate.is_allowed()) {
        _ if old.fate == new.fate => return None,
        (false, false) => return None,
        (false, true) => Kind::Gained,
        (true, false) => Kind::Lost,
        (true, true) => match (holds(is, &new.fate, was, &old.fate, key), holds(was, &old.fate, is, &new.fate, key)) {
            (true, true) => return None,
            (true, false) => Kind::Widened,
            (false, true) => Kind::Tightened,
            (false, false) => Kind::Altered,
        },
    };
    Some((kind, old, new))
}

/// Whether whatever passes `narrow` surely passes `wide`.
fn holds(wide: Asked<'_>, wide_fate: &Fate, narrow: Asked<'_>, narrow_fate: &Fate, key: L4Key) -> bool {
    let auth = wide_fate.auth == Auth::Disabled || wide_fate.auth == narrow_fate.auth;
    let is_own = |sets: &[Option<&Requests>]| sets.iter().flatten().any(|set| set.own);
    let (in_wide, in_narrow) = (sets(wide, key, true), sets(narrow, key, false));
    let passes = match (&wide_fate.passes, &narrow_fate.passes) {
        (Passes::Directly, Passes::Directly) => true,
        // Why: what a listener of somebody's own does with what passes, nobody can say.
        (Passes::Directly, Passes::Proxied { .. }) => !is_own(&in_narrow),
        // Why: what one proxy reads another may not.
        (Passes::Proxied { proxy, .. }, Passes::Proxied { proxy: other, .. }) => {
            let reads =
                |asked: Asked<'_>| oracle::reader(asked.rules, asked.peer, key)?.reads.map(|it| it.requests.clone());
            let alike = match (reads(wide), reads(narrow)) {
                (Some(one), Some(other)) => request::reads_alike(&one, &other),
                (one, other) => one == other,
            };
            proxy == other && alike && request::covers(&in_wide, &in_narrow)
        }
        // Why even where a proxy admits every request: bytes that are none it cannot read.
        _ => false,
    };
    auth && passes
}

/// What every allow that counts for a flow asks. Where names are asked for by exact ports, some allows count for other requests only:
/// `surely` leaves those out.
fn sets(asked: Asked<'_>, key: L4Key, surely: bool) -> Vec<Option<&Requests>> {
    let Some(reader) = oracle::reader(asked.rules, asked.peer, key) else { return Vec::new() };
    fn of(requests: Option<&rules::RequestRules>) -> Option<&Requests> {
        requests.map(|it| &it.requests)
    }
    let dns = reader.allows.iter().any(|(_, it)| of(*it).is_some_and(|it| matches!(it.rules, Rules::Dns(_))));
    let by_port = surely && dns && asked.rules.names_by_port;
    let exact = |rule: &rules::Rule| rule.l4.intervals().contains(&(key, key));
    reader.allows.iter().filter(|(rule, _)| !by_port || exact(rule)).map(|(_, it)| of(*it)).collect()
}

/// What one side says of one flow.
pub(crate) fn decide(rules: &RuleSet, peer: PeerId, key: L4Key) -> Decided {
    let decision = oracle::decide(rules, peer, key);
    let step = match decision.because {
        Because::Rule { .. } => Step::Rules,
        Because::TierEnd { .. } => Step::Isolated,
        Because::Fallback if decision.verdict.is_allowed() => Step::Open,
        Because::Fallback => Step::Isolated,
    };
    let by = decision.by.iter().filter_map(|id| rules.origin(*id).cloned()).collect();
    Decided { fate: fate(rules, peer, key, decision.verdict), step, by }
}

fn fate(rules: &RuleSet, peer: PeerId, key: L4Key, verdict: Verdict) -> Fate {
    let passes = match verdict.action {
        Action::Deny => Passes::Denied,
        Action::Allow => Passes::Directly,
        Action::Redirect(listener) => {
            let proxy = rules.listeners.get(usize::from(listener.0)).cloned().unwrap_or_default();
            Passes::Proxied { proxy, asks: asks(rules, peer, key) }
        }
    };
    Fate { passes, auth: verdict.auth }
}

/// Everything that a proxy admits of a flow; nothing when it admits all.
fn asks(rules: &RuleSet, peer: PeerId, key: L4Key) -> Vec<String> {
    let Some(reader) = oracle::reader(rules, peer, key) else { return Vec::new() };
    let mut lines = BTreeSet::new();
    for (_, requests) in &reader.allows {
        match requests {
            Some(requests) => lines.extend(rules.request_lines(requests).into_iter().map(|(_, line)| line)),
            None => return Vec::new(),
        }
    }
    let all = "every request";
    if lines.contains(all) { Vec::new() } else { lines.into_iter().collect() }
}
