//! Rules without their peers: what is left once "whom does it name" is asked elsewhere.
//!
//! Many rules say the same thing of different peers. Presence is all that counts (two equal rules mean what one means), so
//! equal rules share one shape, and a peer's verdicts depend only on the set of shapes that apply to it.

use std::ops::Range;

use flow::{Auth, L4Key, L4Set, PeerSet, Peers};
use rules::{Effect, Fallback, Redirect, RuleSet};
use rustc_hash::FxHashMap;

/// One distinct rule, peers aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Counted through all tiers.
    pub level: u32,
    /// Without authentication in levels that do not look at blocks, and never with what is asked of requests: no verdict holds that.
    pub effect: Effect,
    /// Whether the rule names its peers; always false in levels that do not look at blocks, where it changes nothing.
    pub names_peer: bool,
    /// The first rule of this shape, counted through all levels from 0.
    pub first_rule: u32,
}

/// A stretch of keys of one shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub shape: u32,
    /// Fixed bits of the port block in levels that look at blocks, else 0.
    pub bits: u8,
}

/// A piece begins or ends in front of a key.
///
/// Shape: ordered by `cut`, an index into [`Shapes::cuts`]; the order within one cut means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub cut: u32,
    /// `piece << 1`, and 1 when it ends.
    pub what: u32,
}

/// One tier, as far as a sweep needs it.
#[derive(Clone, Debug)]
pub(crate) struct TierShape {
    pub levels: Range<u32>,
    pub denies_rest: bool,
}

/// All shapes of a rule set, and which peers they apply to.
pub(crate) struct Shapes<'a> {
    pub shapes: Vec<Shape>,
    pub tiers: Vec<TierShape>,
    /// Per level: whether authentication makes it look at port blocks.
    pub by_block: Vec<bool>,
    pub fallback_allows: bool,
    pub pieces: Vec<Piece>,
    /// The pieces of each shape, a range of `events` in no particular order, two events a piece.
    pub events: Vec<Event>,
    /// Into `events`, by shape.
    pub events_of: Vec<Range<u32>>,
    /// Every key where something begins or has just ended, ascending; `2^24` may be the last.
    pub cuts: Vec<u32>,
    /// Shapes that apply to every peer, ascending.
    pub everybody: Vec<u32>,
    /// The distinct sets of peers, each with its shapes, ascending.
    pub named: Vec<(&'a PeerSet, Vec<u32>)>,
}

impl<'a> Shapes<'a> {
    /// Takes a rule set apart. Cost: linear in rules, and n log n in their intervals.
    pub fn of(rules: &'a RuleSet) -> Shapes<'a> {
        let mut out = Shapes {
            shapes: Vec::new(),
            tiers: Vec::new(),
            by_block: Vec::new(),
            fallback_allows: rules.fallback == Fallback::Allow,
            pieces: Vec::new(),
            events: Vec::new(),
            events_of: Vec::new(),
            cuts: Vec::new(),
            everybody: Vec::new(),
            named: Vec::new(),
        };
        let mut l4_of = Vec::new();
        out.collect(rules, &mut l4_of);
        out.cut(&l4_of);
        out
    }

    /// Finds distinct shapes and distinct peer sets.
    fn collect(&mut self, rules: &'a RuleSet, l4_of: &mut Vec<&'a L4Set>) {
        let mut known: FxHashMap<(u32, &L4Set, Effect, bool), u32> = FxHashMap::default();
        // Why two maps: rules of one selector share one allocation, whose address is cheaper to hash than its members.
        let mut by_address: FxHashMap<*const PeerSet, usize> = FxHashMap::default();
        let mut by_members: FxHashMap<&PeerSet, usize> = FxHashMap::default();
        let mut rule_at = 0;
        for tier in &rules.tiers {
            let first = self.by_block.len() as u32;
            for level in &tier.levels {
                let level_at = self.by_block.len() as u32;
                let by_block = level.rules.iter().any(|rule| looks_at_blocks(rule.effect));
                self.by_block.push(by_block);
                for rule in &level.rules {
                    let effect = relevant(rule.effect, by_block);
                    let names_peer = by_block && rule.peers != Peers::All;
                    let shape = *known.entry((level_at, &rule.l4, effect, names_peer)).or_insert_with(|| {
                        l4_of.push(&rule.l4);
                        let first_rule = rule_at;
                        self.shapes.push(Shape { level: level_at, effect, names_peer, first_rule });
                        self.shapes.len() as u32 - 1
                    });
                    rule_at += 1;
                    match &rule.peers {
                        Peers::All => self.everybody.push(shape),
                        Peers::Of(set) => {
                            let named = &mut self.named;
                            let at = *by_address.entry(std::sync::Arc::as_ptr(set)).or_insert_with(|| {
                                *by_members.entry(set).or_insert_with(|| {
                                    named.push((set, Vec::new()));
                                    named.len() - 1
                                })
                            });
                            self.named[at].1.push(shape);
                        }
                    }
                }
            }
            let levels = first..self.by_block.len() as u32;
            self.tiers.push(TierShape { levels, denies_rest: tier.end.is_some() });
        }
        for list in self.named.iter_mut().map(|(_, shapes)| shapes).chain([&mut self.everybody]) {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// Turns the intervals of every shape into pieces and events.
    fn cut(&mut self, l4_of: &[&L4Set]) {
        // Each piece of shape `s` as (start, end, bits), end excluded.
        let mut spans: Vec<(u32, u32)> = Vec::new();
        let mut count_of = Vec::with_capacity(self.shapes.len());
        for (at, shape) in self.shapes.iter().enumerate() {
            let before = spans.len();
            let blocks = self.by_block[shape.level as usize] && matches!(shape.effect, Effect::Allow { .. });
            for &(low, high) in l4_of[at].intervals() {
                let mut start = low.raw();
                let end = high.raw() + 1;
                while start < end {
                    let bits = if blocks { block_at(start, end) } else { 0 };
                    let stop = if blocks { start + (1 << (24 - bits)) } else { end };
                    spans.push((start, stop));
                    self.pieces.push(Piece { shape: at as u32, bits });
                    start = stop;
                }
            }
            count_of.push(before as u32 * 2..spans.len() as u32 * 2);
        }
        self.events_of = count_of;
        self.cuts = spans.iter().flat_map(|&(start, end)| [start, end]).chain([L4Key::MIN.raw()]).collect();
        self.cuts.sort_unstable();
        self.cuts.dedup();
        // Cannot panic: every start and end was put into `cuts` just above, so the search finds it either way.
        let cut_of = |key: u32| self.cuts.partition_point(|cut| *cut < key) as u32;
        let events = spans.iter().enumerate().flat_map(|(piece, &(start, end))| {
            let what = (piece as u32) << 1;
            [Event { cut: cut_of(start), what }, Event { cut: cut_of(end), what: what | 1 }]
        });
        self.events = events.collect();
    }
}

/// Whether a rule makes its whole level look at port blocks.
///
/// Only authentication that asks for something does: if no rule asks, the answer is "disabled" whichever rule is closest.
fn looks_at_blocks(effect: Effect) -> bool {
    matches!(effect, Effect::Allow { auth: Some(Auth::Required | Auth::AlwaysFail), .. })
}

/// An effect without what changes no verdict.
fn relevant(effect: Effect, by_block: bool) -> Effect {
    match effect {
        Effect::Allow { redirect, auth } => Effect::Allow {
            redirect: redirect.map(|redirect| Redirect { requests: None, ..redirect }),
            auth: auth.filter(|_| by_block),
        },
        Effect::Deny | Effect::Pass => effect,
    }
}

/// The fixed bits of the greatest aligned block that begins at `start` and ends by `end`.
///
/// Cutting an interval greedily from its low end gives the fewest aligned blocks, and each of them is the greatest aligned
/// block of the interval that holds any of its keys.
fn block_at(start: u32, end: u32) -> u8 {
    let aligned = start.trailing_zeros().min(24);
    let fitting = (end - start).ilog2();
    (24 - aligned.min(fitting)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_falls_into_the_fewest_aligned_blocks() {
        let (mut start, end) = (3, 21);
        let mut sizes = Vec::new();
        while start < end {
            let size = 1 << (24 - block_at(start, end));
            sizes.push(size);
            start += size;
        }
        assert_eq!(sizes, [1, 4, 8, 4, 1]);
        assert_eq!((block_at(0, 1 << 24), block_at(6 << 16, 7 << 16)), (0, 8));
    }
}
