//! The allow that comes nearest to a flow that nothing allows.

use crate::trace::Cause;
use crate::world::World;
use flow::{Direction, L4Key, L4Set, PeerId, Peers};
use hir::resolve::{self, BoundRule};
use hir::subject::Class;
use hir::{Effect, L3, PeerSelector, Requirement};

/// An allow of the subject that almost matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Where it is.
    pub cause: Cause,
    /// What keeps it from matching.
    pub misses: Misses,
}

/// What keeps a rule from matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misses {
    /// It admits the peer, on these ports only.
    Port(L4Set),
    /// It admits the port, from or to others only; of a label selector these conditions fail for the peer.
    Peer(Vec<Requirement>),
}

/// Finds it: first among rules that admit the peer, by how far the port is off; then among rules that admit the port, by how many
/// conditions on labels fail. `None` when no allow comes near in either way.
pub(crate) fn nearest(
    world: &World<'_>,
    class: &Class,
    direction: Direction,
    peer: PeerId,
    key: L4Key,
) -> Option<Nearest> {
    let held = world.rules(class);
    let of_peer = allows(&held.bound.direction(direction).rules).filter(|rule| rule.peers.contains(peer));
    if let Some(rule) = of_peer.min_by_key(|rule| gap(&rule.l4, key)) {
        return Some(Nearest { cause: cause(world, rule), misses: Misses::Port(rule.l4.clone()) });
    }
    let policies = world.policies.iter().map(|policy| &**policy);
    // Why: bound without regard to peers, so that a rule that selects nobody at all is seen too.
    let for_all =
        resolve::resolve_with(policies, class, &world.peers, &world.cluster.config, world.dialect, &mut |_, _| {
            Peers::All
        });
    let of_port = allows(&for_all.direction(direction).rules)
        .filter(|rule| rule.l4.contains(key) && rule.origin.object.kind != "built-in");
    let ranked = of_port.map(|rule| (failing(world, rule, peer), rule));
    let (failing, rule) = ranked.min_by_key(|(failing, _)| failing.len().wrapping_sub(1))?;
    Some(Nearest { cause: cause(world, rule), misses: Misses::Peer(failing) })
}

fn allows(rules: &[BoundRule]) -> impl Iterator<Item = &BoundRule> {
    rules.iter().filter(|rule| rule.effect == Effect::Allow)
}

fn cause(world: &World<'_>, rule: &BoundRule) -> Cause {
    let origin = rules::Origin { object: rule.origin.object.to_string(), path: rule.origin.path.clone() };
    Cause::of(world.db, &origin)
}

/// How far a key is from a set; another protocol is further than any port.
fn gap(set: &L4Set, key: L4Key) -> u32 {
    set.intervals()
        .iter()
        .map(|(low, high)| low.raw().abs_diff(key.raw()).min(high.raw().abs_diff(key.raw())))
        .min()
        .unwrap_or(u32::MAX)
}

/// The conditions of a rule's label selector that the peer does not meet; empty when the rule selects in another way.
fn failing(world: &World<'_>, rule: &BoundRule, peer: PeerId) -> Vec<Requirement> {
    let policy = world.policies.iter().find(|policy| policy.object == *rule.origin.object);
    let entries = policy.into_iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries);
    let mut peers = entries.filter_map(|entry| match &entry.l3 {
        L3::Any(peers) => peers.iter().find(|peer| peer.path == rule.origin.path),
        _ => None,
    });
    let (Some(selector), Some(info)) = (peers.next(), world.peers.peer(peer)) else { return Vec::new() };
    match &selector.selector {
        PeerSelector::Labels { selector, .. } => {
            selector.requirements().iter().filter(|it| !it.matches(&info.key.labels)).cloned().collect()
        }
        _ => Vec::new(),
    }
}
