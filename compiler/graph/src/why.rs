//! Which rules let something pass, as the oracle says.

use crate::sides::{Direct, Sides};
use flow::{Direction, L4Key, L4Set, PeerId};
use oracle::Because;
use rules::{Effect, Origin};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What lets some ports of one peer pass at one end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Why {
    /// By origin, each with its ports; an origin may stand more than once.
    pub rules: Vec<(Origin, L4Set)>,
    /// Whether some of the ports pass for want of isolation.
    pub open: bool,
}

/// Answers, each found once.
#[derive(Default)]
pub(crate) struct Whys {
    known: FxHashMap<(usize, Direction, PeerId, usize), Rc<Why>>,
    cells: FxHashMap<(usize, Direction), Rc<Vec<L4Key>>>,
}

impl Whys {
    /// What lets the ports of a meeting (into [`Sides::met`]) pass at one end.
    pub fn why(&mut self, sides: &Sides, class: usize, direction: Direction, peer: PeerId, met: usize) -> Rc<Why> {
        let key = (class, direction, peer, met);
        if let Some(why) = self.known.get(&key) {
            return why.clone();
        }
        let direct = sides.direct(class, direction);
        let cells = self.cells.entry((class, direction)).or_insert_with(|| Rc::new(oracle::cells(&direct.rules)));
        let why = Rc::new(find(direct, cells, peer, &sides.met[met].all));
        self.known.insert(key, why.clone());
        why
    }
}

fn find(direct: &Direct, cells: &[L4Key], peer: PeerId, ports: &L4Set) -> Why {
    let mut why = Why::default();
    let speaks = direct.rules.rules().any(|rule| rule.peers.contains(peer) && rule.effect != Effect::Deny);
    if !speaks {
        // Nothing but the end of the walk can let it pass.
        why.open = !ports.is_empty();
        return why;
    }
    let mut found: Vec<(Origin, L4Set)> = Vec::new();
    for (low, high) in ports.intervals() {
        let first = cells.partition_point(|cell| cell <= low);
        let inside = cells[first..].iter().take_while(|cell| *cell <= high);
        let starts: Vec<L4Key> = std::iter::once(*low).chain(inside.copied()).collect();
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).and_then(|next| L4Key::from_raw(next.raw() - 1)).unwrap_or(*high);
            let decision = oracle::decide(&direct.rules, peer, *start);
            if !matches!(decision.because, Because::Rule { .. }) {
                why.open = true;
                continue;
            }
            for origin in decision.by.iter().filter_map(|id| direct.rules.origin(*id)) {
                found.push((origin.clone(), L4Set::interval(*start, end)));
            }
        }
    }
    found.sort();
    for (origin, set) in found {
        match why.rules.last_mut() {
            Some((last, ports)) if *last == origin => *ports = ports.union(&set),
            _ => why.rules.push((origin, set)),
        }
    }
    why
}
