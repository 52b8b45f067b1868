//! How the matching allows of one level become one verdict.
//!
//! The flow is redirected as soon as one of them redirects; the redirect with the smallest priority number wins, then the
//! smaller listener. Authentication follows the most specific rule among those that carry the winning outcome (the winning
//! redirect, or a plain allow when nothing redirects):
//!
//! 1. what that rule, or another of just its specificity, says aloud; of several the strictest;
//! 2. else what less specific rules say: the nearest that names the peer, and the nearest that names no peer, each of them
//!    inherited, and of the two the stricter;
//! 3. else none.
//!
//! A rule is more specific when its port block is smaller, and between equal blocks when it names its peers. Source: the
//! precedence arithmetic and the inheritance of authentication of Cilium's policy map, `pkg/policy/mapstate.go` and
//! `bpf/lib/policy.h`.

use flow::{Action, Auth, L4Key, L4Set, ListenerId, Peers, Verdict};
use rules::{Effect, Redirect, Rule};

/// How closely a rule describes one key; greater is closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Specificity {
    /// The fixed bits of the port block that holds the key: 0 for every protocol and port, 8 for every port of one
    /// protocol, 24 for a single port.
    pub bits: u8,
    /// Whether the rule names its peers.
    pub names_peer: bool,
}

/// The verdict of a level whose matching rules are these allows and no deny.
///
/// Shape: `allows` match `key`, and are in any order; an empty list gives a plain allow.
pub fn merge(allows: &[&Rule], key: L4Key) -> Verdict {
    let winner = allows.iter().filter_map(|rule| redirect(rule)).min_by_key(rank);
    let action = winner.map_or(Action::Allow, |winner| Action::Redirect(winner.listener));
    let chosen = allows.iter().filter(|rule| redirect(rule).map(|r| rank(&r)) == winner.map(|r| rank(&r)));
    let chosen = chosen.map(|rule| specificity(rule, key)).max();
    Verdict { action, auth: chosen.map_or(Auth::Disabled, |chosen| authentication(allows, key, chosen)) }
}

/// How closely `rule` describes `key`, which it matches.
pub fn specificity(rule: &Rule, key: L4Key) -> Specificity {
    Specificity { bits: block_bits(&rule.l4, key), names_peer: rule.peers != Peers::All }
}

/// Steps 1 to 3 above.
fn authentication(allows: &[&Rule], key: L4Key, chosen: Specificity) -> Auth {
    let explicit =
        |at: Specificity| allows.iter().filter(|rule| specificity(rule, key) == at).filter_map(|rule| said(rule)).max();
    if let Some(auth) = explicit(chosen) {
        return auth;
    }
    let inherited = |names_peer: bool| {
        let nearest = allows
            .iter()
            .filter(|rule| said(rule).is_some())
            .map(|rule| specificity(rule, key))
            .filter(|at| at.names_peer == names_peer && *at < chosen)
            .max();
        nearest.and_then(explicit)
    };
    inherited(true).max(inherited(false)).unwrap_or(Auth::Disabled)
}

/// The fixed bits of the greatest aligned block, a power of two in size, that holds `key` and lies in `set`.
///
/// Shape: 0 to 24; 24 also when `key` is not in the set.
fn block_bits(set: &L4Set, key: L4Key) -> u8 {
    for bits in 0..24 {
        let size = 1 << (24 - bits);
        let low = key.raw() / size * size;
        let high = low + size - 1;
        if set.intervals().iter().any(|(from, to)| from.raw() <= low && high <= to.raw()) {
            return bits;
        }
    }
    24
}

fn redirect(rule: &Rule) -> Option<Redirect> {
    match rule.effect {
        Effect::Allow { redirect, .. } => redirect,
        Effect::Deny | Effect::Pass => None,
    }
}

/// The order of redirects: the smallest wins.
fn rank(redirect: &Redirect) -> (u8, ListenerId) {
    (redirect.priority, redirect.listener)
}

fn said(rule: &Rule) -> Option<Auth> {
    match rule.effect {
        Effect::Allow { auth, .. } => auth,
        Effect::Deny | Effect::Pass => None,
    }
}
