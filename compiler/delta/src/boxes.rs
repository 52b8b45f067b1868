//! What one class of subjects decides on each side, and the keys on which it decides otherwise.

use crate::fates::{Asked, Decided, compare};
use crate::rows::Kind;
use crate::world::{Ready, World};
use diagram::{Diagram, TooLarge, stretches};
use flow::{Action, Auth, Direction, L4Key, L4Set, PeerId, Peers, Verdict};
use hir::PeerSelector;
use hir::peers::HostId;
use hir::resolve;
use rules::RuleSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

/// Rules of one direction, and what they mean.
pub(crate) struct Half {
    pub rules: RuleSet,
    pub diagram: Diagram,
}

/// What a class decides, ingress first; made when somebody asks.
type Made = OnceLock<Result<[Half; 2], TooLarge>>;

/// Whom selectors select on one side.
type Selected = Mutex<FxHashMap<(PeerSelector, HostId), Peers>>;

/// What every class of both sides decides.
pub(crate) struct Deciders<'w> {
    world: &'w World,
    made: [Vec<Made>; 2],
    selected: [Selected; 2],
    limits: diagram::Limits,
}

/// A stretch of keys of one group of peers with other answers on the two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub kind: Kind,
    pub l4: L4Set,
    pub old: Decided,
    pub new: Decided,
}

/// Where a direction stands in pairs of both.
pub(crate) fn slot(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

impl<'w> Deciders<'w> {
    pub fn new(world: &'w World) -> Deciders<'w> {
        let made = [0, 1].map(|side| world.sides[side].classes.iter().map(|_| OnceLock::new()).collect());
        Deciders { world, made, selected: Default::default(), limits: diagram::Limits::default() }
    }

    /// What a class of a side decides.
    pub fn of(&self, side: usize, class: usize) -> Result<&[Half; 2], TooLarge> {
        self.made[side][class].get_or_init(|| self.make(side, class)).as_ref().map_err(|error| *error)
    }

    fn make(&self, side: usize, class: usize) -> Result<[Half; 2], TooLarge> {
        let Ready { side: of, table, classes } = &self.world.sides[side];
        // Where peers have the same numbers, selectors select the same ones.
        let selected = &self.selected[if self.world.alike { 0 } else { side }];
        let mut members = |selector: &PeerSelector, host: HostId| {
            let key = (selector.clone(), host);
            let known = || selected.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(peers) = known().get(&key) {
                return peers.clone();
            }
            let peers = resolve::members(selector, host, table);
            known().insert(key, peers.clone());
            peers
        };
        let class = &classes[class];
        let policies = of.selecting(class).into_iter().map(|policy| &**policy);
        let bound = resolve::resolve_with(policies, class, table, &of.cluster.config, of.dialect, &mut members);
        let peers = table.peers().count() as u32;
        let half = |rules: RuleSet| -> Result<Half, TooLarge> {
            Ok(Half { diagram: diagram::build(&rules, peers, &self.limits)?, rules })
        };
        let (ingress, egress) = lower::lower(&bound);
        Ok([half(ingress)?, half(egress)?])
    }

    /// Whether two paired classes surely decide alike, without deciding anything: the same policies select the same subjects among the
    /// same peers.
    pub fn surely_equal(&self, [old, new]: [usize; 2]) -> bool {
        let [before, after] = &self.world.sides;
        if !self.world.alike || before.classes[old] != after.classes[new] {
            return false;
        }
        before.side.selecting(&before.classes[old]) == after.side.selecting(&after.classes[new])
    }
}

/// The differences between two directions for one group of peers, by what decides.
pub(crate) fn differences(old: &Half, new: &Half, before: PeerId, after: PeerId) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let olds = old.diagram.l4(old.diagram.class_of(before));
    let news = new.diagram.l4(new.diagram.class_of(after));
    for (low, high, was, is) in stretches(olds, news) {
        let proxied = [was, is].iter().any(|verdict| matches!(verdict.action, Action::Redirect(_)));
        if was == is && !proxied {
            continue;
        }
        for (low, high) in pieces(&old.rules, before, &new.rules, after, low, high) {
            let (was, is) = (Asked { rules: &old.rules, peer: before }, Asked { rules: &new.rules, peer: after });
            let Some((kind, old, new)) = compare(was, is, low) else { continue };
            match found.iter_mut().find(|it| it.kind == kind && it.old == old && it.new == new) {
                Some(it) => it.l4 = it.l4.union(&L4Set::interval(low, high)),
                None => found.push(Difference { kind, l4: L4Set::interval(low, high), old, new }),
            }
        }
    }
    found
}

/// Whether two directions may differ for some pair of peers, as far as diagrams tell.
pub(crate) fn may_differ(old: &Half, new: &Half) -> bool {
    let proxied = !old.rules.listeners.is_empty() || !new.rules.listeners.is_empty();
    proxied || old.diagram != new.diagram
}

/// A stretch of keys in pieces on which no rule begins or ends: the first and the last key of each.
fn pieces(old: &RuleSet, before: PeerId, new: &RuleSet, after: PeerId, low: L4Key, high: L4Key) -> Vec<(L4Key, L4Key)> {
    let mut starts = BTreeSet::from([low.raw()]);
    for (rules, peer) in [(old, before), (new, after)] {
        for rule in rules.rules().filter(|rule| rule.peers.contains(peer)) {
            for (from, to) in rule.l4.intervals() {
                starts.extend(
                    [from.raw(), to.raw() + 1].into_iter().filter(|it| (low.raw() + 1..=high.raw()).contains(it)),
                );
            }
        }
    }
    let starts: Vec<u32> = starts.into_iter().collect();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([high.raw()]);
    starts.iter().zip(ends).filter_map(|(from, to)| Some((L4Key::from_raw(*from)?, L4Key::from_raw(to)?))).collect()
}

/// The keys on which a direction lets a peer through.
pub(crate) fn passing(half: &Half, peer: PeerId) -> L4Set {
    let map = half.diagram.l4(half.diagram.class_of(peer));
    let passes = |verdict: &Verdict| verdict.is_allowed() && verdict.auth != Auth::AlwaysFail;
    L4Set::from_intervals(map.ranges().filter(|(.., verdict)| passes(verdict)).map(|(low, high, _)| (low, high)))
}

/// Which rules name a peer, as numbers that are equal for peers that the same rules name.
///
/// Why not the signatures of diagrams: those leave out what is asked of requests, and where a rule stands.
pub(crate) struct Named {
    /// 0 for peers that no rule names.
    of: FxHashMap<u32, u32>,
}

impl Named {
    /// Cost: the members of the distinct sets of peers.
    pub fn of(rules: &RuleSet) -> Named {
        let mut sets: FxHashMap<*const flow::PeerSet, u32> = FxHashMap::default();
        let mut lists: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for rule in rules.rules() {
            let Peers::Of(set) = &rule.peers else { continue };
            let (next, address) = (sets.len() as u32, std::sync::Arc::as_ptr(set));
            if sets.insert(address, next).is_none() {
                set.iter().for_each(|peer| lists.entry(peer.0).or_default().push(next));
            }
        }
        let mut known: FxHashMap<Vec<u32>, u32> = FxHashMap::default();
        let number = |(peer, list): (u32, Vec<u32>)| {
            let next = known.len() as u32 + 1;
            (peer, *known.entry(list).or_insert(next))
        };
        Named { of: lists.into_iter().map(number).collect() }
    }

    /// Every peer that a rule names, in no order.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.of.keys().map(|peer| PeerId(*peer))
    }

    pub fn by(&self, peer: PeerId) -> u32 {
        self.of.get(&peer.0).copied().unwrap_or(0)
    }
}
