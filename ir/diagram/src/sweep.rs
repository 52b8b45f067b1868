//! One pass over the rule ends of one group: which verdict holds on which stretch of keys.

use std::collections::BTreeMap;

use flow::{Action, Auth, L4Key, ListenerId, Verdict};
use rules::Effect;

use crate::map::L4Map;
use crate::shapes::{Event, Shapes};

/// The order of redirects, smallest first: priority, then listener.
type Rank = (u8, ListenerId);

/// Specificities: fixed bits of the block, 0 to 24, times two, plus one when the rule names its peers.
const SPECIFICITIES: usize = 50;

/// What a sweep keeps between groups, so that nothing is allocated per group.
pub(crate) struct Sweep<'a> {
    shapes: &'a Shapes<'a>,
    levels: Vec<LevelCount>,
    /// One bit per level: whether anything in it matches the current key.
    active: Vec<u64>,
    /// All events by cut, for groups so large that filtering beats sorting.
    ordered: Vec<Event>,
    mine: Vec<bool>,
    events: Vec<Event>,
}

/// What matches the current key in one level.
#[derive(Default)]
struct LevelCount {
    deny: u32,
    allow: u32,
    pass: u32,
    redirects: BTreeMap<Rank, u32>,
    /// Only in levels that look at port blocks.
    auth: Option<Box<AuthCount>>,
}

/// The allows of one level by specificity.
struct AuthCount {
    /// Per specificity: how many say nothing, disabled, required, always-fail.
    said: [[u32; 4]; SPECIFICITIES],
    redirects: BTreeMap<Rank, [u32; SPECIFICITIES]>,
}

impl<'a> Sweep<'a> {
    pub fn new(shapes: &'a Shapes<'a>) -> Sweep<'a> {
        let count = |&by_block: &bool| LevelCount {
            auth: by_block.then(|| Box::new(AuthCount { said: [[0; 4]; SPECIFICITIES], redirects: BTreeMap::new() })),
            ..LevelCount::default()
        };
        let mut ordered = shapes.events.clone();
        ordered.sort_unstable();
        Sweep {
            shapes,
            levels: shapes.by_block.iter().map(count).collect(),
            active: vec![0; shapes.by_block.len().div_ceil(64)],
            ordered,
            mine: vec![false; shapes.shapes.len()],
            events: Vec::new(),
        }
    }

    /// The map of the peers that the shapes of everybody and of `list` apply to.
    ///
    /// Cost: n log n in the events of these shapes, or linear in all events if that is less.
    pub fn run(&mut self, list: &[u32]) -> L4Map {
        let mut events = std::mem::take(&mut self.events);
        self.select(list, &mut events);
        let mut intervals: Vec<(L4Key, Verdict)> = Vec::new();
        let mut note = |cut: u32, verdict: Verdict, shapes: &Shapes<'_>| {
            // The cut behind the greatest key begins nothing.
            if let Some(key) = L4Key::from_raw(shapes.cuts[cut as usize])
                && intervals.last().is_none_or(|(_, before)| *before != verdict)
            {
                intervals.push((key, verdict));
            }
        };
        if events.first().is_none_or(|event| event.cut > 0) {
            note(0, self.verdict(), self.shapes);
        }
        for same_cut in events.chunk_by(|a, b| a.cut == b.cut) {
            for event in same_cut {
                self.apply(*event);
            }
            note(same_cut[0].cut, self.verdict(), self.shapes);
        }
        self.events = events;
        // Cannot panic: the first interval is noted at cut 0, which is the least key, and cuts ascend.
        L4Map::from_intervals(intervals).expect("a sweep begins at the least key and only goes up")
    }

    /// Collects the events of the chosen shapes by cut.
    fn select(&mut self, list: &[u32], events: &mut Vec<Event>) {
        events.clear();
        let chosen = || list.iter().chain(&self.shapes.everybody);
        let count: usize = chosen().map(|&shape| self.shapes.events_of[shape as usize].len()).sum();
        let sorting = count.saturating_mul(count.max(2).ilog2() as usize);
        if sorting <= self.ordered.len() {
            for &shape in chosen() {
                let range = &self.shapes.events_of[shape as usize];
                events.extend_from_slice(&self.shapes.events[range.start as usize..range.end as usize]);
            }
            events.sort_unstable();
        } else {
            for &shape in chosen() {
                self.mine[shape as usize] = true;
            }
            let mine = |event: &&Event| self.mine[self.shapes.pieces[event.what as usize >> 1].shape as usize];
            events.extend(self.ordered.iter().filter(mine));
            for &shape in list.iter().chain(&self.shapes.everybody) {
                self.mine[shape as usize] = false;
            }
        }
    }

    /// Enters or leaves one piece.
    fn apply(&mut self, event: Event) {
        let piece = self.shapes.pieces[event.what as usize >> 1];
        let shape = self.shapes.shapes[piece.shape as usize];
        let enters = event.what & 1 == 0;
        let level = &mut self.levels[shape.level as usize];
        match shape.effect {
            Effect::Deny => step(&mut level.deny, enters),
            Effect::Pass => step(&mut level.pass, enters),
            Effect::Allow { redirect, auth } => {
                step(&mut level.allow, enters);
                let rank = redirect.map(|redirect| (redirect.priority, redirect.listener));
                if let Some(rank) = rank {
                    let count = level.redirects.entry(rank).or_default();
                    step(count, enters);
                    if *count == 0 {
                        level.redirects.remove(&rank);
                    }
                }
                if let Some(count) = &mut level.auth {
                    let at = usize::from(piece.bits) * 2 + usize::from(shape.names_peer);
                    step(&mut count.said[at][auth.map_or(0, |auth| 1 + auth as usize)], enters);
                    if let Some(rank) = rank {
                        step(&mut count.redirects.entry(rank).or_insert([0; SPECIFICITIES])[at], enters);
                    }
                }
            }
        }
        let (word, bit) = (shape.level as usize / 64, 1 << (shape.level % 64));
        if level.deny + level.allow + level.pass > 0 {
            self.active[word] |= bit;
        } else {
            self.active[word] &= !bit;
        }
    }

    /// The verdict of the current key.
    fn verdict(&self) -> Verdict {
        for tier in &self.shapes.tiers {
            if let Some(level) = self.first_active(tier.levels.start, tier.levels.end) {
                let level = &self.levels[level];
                if level.deny > 0 {
                    return Verdict::DENY;
                }
                if level.allow > 0 {
                    return level.allowed();
                }
            }
            if tier.denies_rest {
                return Verdict::DENY;
            }
        }
        if self.shapes.fallback_allows { Verdict::ALLOW } else { Verdict::DENY }
    }

    /// The first level of `start..end` in which anything matches.
    fn first_active(&self, start: u32, end: u32) -> Option<usize> {
        let mut at = start;
        while at < end {
            let rest = self.active[at as usize / 64] >> (at % 64);
            if rest != 0 {
                let found = at + rest.trailing_zeros();
                return (found < end).then_some(found as usize);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }
}

impl LevelCount {
    /// The merge of the matching allows.
    fn allowed(&self) -> Verdict {
        let winner = self.redirects.first_key_value().map(|(rank, _)| *rank);
        let action = winner.map_or(Action::Allow, |(_, listener)| Action::Redirect(listener));
        Verdict { action, auth: self.auth.as_ref().map_or(Auth::Disabled, |count| count.authentication(winner)) }
    }
}

impl AuthCount {
    /// What the most specific winner says, else the stricter of what less specific rules say that do and do not name peers.
    fn authentication(&self, winner: Option<Rank>) -> Auth {
        let closest = match winner.and_then(|rank| self.redirects.get(&rank)) {
            Some(counts) => counts.iter().rposition(|count| *count > 0),
            None => self.said.iter().rposition(|counts| *counts != [0; 4]),
        };
        let Some(closest) = closest else { return Auth::Disabled };
        if let Some(auth) = self.explicit(closest) {
            return auth;
        }
        let nearest = |parity: usize| (0..closest).rev().filter(|at| at % 2 == parity).find_map(|at| self.explicit(at));
        nearest(0).max(nearest(1)).unwrap_or(Auth::Disabled)
    }

    /// The strictest mode said aloud at one specificity.
    fn explicit(&self, at: usize) -> Option<Auth> {
        let [_, disabled, required, always_fail] = self.said[at];
        match (disabled, required, always_fail) {
            (0, 0, 0) => None,
            (_, 0, 0) => Some(Auth::Disabled),
            (_, _, 0) => Some(Auth::Required),
            _ => Some(Auth::AlwaysFail),
        }
    }
}

fn step(count: &mut u32, up: bool) {
    // Cannot wrap: within a cut an end may come before the begin that it has nothing to do with, never before its own.
    *count = if up { *count + 1 } else { *count - 1 };
}
