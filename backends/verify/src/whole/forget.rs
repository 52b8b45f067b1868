//! What paths forget, so that those are alike that differ in nothing that is asked again.

use super::machine::{Event, FRAME, State, Value, context};
use super::path::Paths;
use super::place::{Outcome, Step, var};
use super::rules::{RECORD, Rules};
use super::term::{Node, Term, Terms, What};
use super::track::layout_of;
use image::layout::state;
use image::{MapRef, NodeMap};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

impl Paths<'_> {
    /// Where paths meet behind a step of the rules, what they remember is renamed.
    fn settle(&mut self, state: &mut State) {
        let at = Value::Packet(state.place.vars[var::CURSOR]);
        let behind = match state.place.step {
            // The program has gone on to this header, too.
            Step::Header(..) => state.registers.contains(&at),
            // It has read the peer's number.
            Step::Decide(..) | Step::Decided(..) | Step::Allowed(..) | Step::Noted(..) => {
                let address = MapRef::Node(NodeMap::Address4);
                let reads = |it: &Value| match it {
                    Value::Element(..) => true,
                    Value::Array(map, _) => *map == address,
                    _ => false,
                };
                !state.registers.iter().any(reads) && !state.points()
            }
            Step::Frame => true,
            // It reads nothing of the packet any more.
            _ => !state.points(),
        };
        let Some(before) = state.before.take_if(|_| behind) else { return };
        if !matches!(state.place.step, Step::Frame | Step::Header(..)) && state.at > self.machine.looks {
            self.unread(state);
        }
        let flow = [var::SOURCE, var::SOURCE + 1, var::DESTINATION, var::DESTINATION + 1];
        let tuple = [var::PROTOCOL, var::PORTS, var::PORTS + 1, var::FLAGS, var::KEY];
        let (mut whole, mut parts): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        match state.place.step {
            Step::Frame => whole.push(var::SLOT),
            Step::Header(..) => {
                whole.extend([var::CURSOR, var::REST]);
                parts.extend([var::PROTOCOL, var::FIELD, var::IDENTIFICATION]);
            }
            Step::Flow(..) => parts.extend(flow.into_iter().chain(var::TUPLE..var::TUPLE + 4).chain(tuple)),
            Step::Way(..) | Step::Found(..) | Step::Judge(..) | Step::Answered(..) => {
                self.words(state);
                whole.extend(var::WORDS..=var::STATE);
            }
            Step::Decide(..) | Step::Decided(..) | Step::Allowed(..) | Step::Noted(..) => parts.push(var::PEER),
            Step::Start | Step::Upper(_) | Step::Full(..) | Step::Drop(_) | Step::Pass | Step::Skip | Step::Done => {
                return;
            }
        }
        // What is forgotten next may be what says how great a number is.
        let names = self.names(state, &whole, &parts);
        if matches!(state.place.step, Step::Frame | Step::Header(..) | Step::Flow(..)) {
            let held = self.held(state);
            let terms = &self.machine.terms;
            Rc::make_mut(&mut state.facts).forget(&before, &|it| {
                let mut all = true;
                terms.leaves(it, &mut |leaf| all &= held.contains(&leaf));
                all
            });
        } else {
            let bits = match state.place.step {
                Step::Answered(..) => u64::MAX,
                _ => u64::from(state::LIVE | state::BUSY) << 32,
            };
            let known = before.only(state.place.vars[var::STATE], bits);
            let facts = Rc::make_mut(&mut state.facts);
            facts.forget(&before, &|_| false);
            facts.add(&known);
        }
        // Addresses keep their names, though in IPv6 they are words of the key.
        let first = if whole.contains(&var::HOME) { var::WORDS } else { 0 };
        self.rename(state, &names.by, first);
        // Of two that are the same each has a name of its own; registers and frame have the later one.
        names.of.into_iter().for_each(|(at, name)| state.place.vars[at] = name);
        if let Step::Judge(..) = state.place.step {
            let names = self.names(state, &[], &[var::PORTS, var::PORTS + 1, var::KEY]);
            self.rename(state, &names.by, 0);
        }
    }

    /// Nothing of the packet is read any more, so how much of it may be is not asked again.
    fn unread(&mut self, state: &mut State) {
        let zero = self.machine.terms.number(0);
        (state.linear, state.pulled) = (self.machine.terms.leaf(What::Linear, zero, 0, 32), false);
        let (old, terms) = (state.facts.clone(), &self.machine.terms);
        Rc::make_mut(&mut state.facts).forget(&old, &|it| {
            let mut linear = false;
            terms.leaves(it, &mut |leaf| linear |= matches!(terms.node(leaf), Node::Leaf(What::Linear, ..)));
            !linear
        });
    }

    /// The leaves of all that a path holds.
    fn held(&self, state: &State) -> FxHashSet<Term> {
        let mut held = FxHashSet::default();
        if let Step::Header(..) = state.place.step {
            let fields = [var::FIELD, var::PROTOCOL].map(|at| state.place.vars[at]);
            fields.into_iter().for_each(|it| {
                self.machine.terms.leaves(it, &mut |leaf| {
                    held.insert(leaf);
                })
            });
            return held;
        }
        let mut add = |term: Term| {
            self.machine.terms.leaves(term, &mut |leaf| {
                held.insert(leaf);
            })
        };
        for register in &state.registers {
            match register {
                Value::Number(it) | Value::Array(_, it) => add(*it),
                Value::Packet(it) => {
                    add(*it);
                    add(state.linear);
                }
                _ => {}
            }
        }
        state.frame.iter().filter(|byte| **byte != Term::NONE).for_each(|byte| add(*byte));
        [var::FIELD, var::PROTOCOL].into_iter().for_each(|at| add(state.place.vars[at]));
        held
    }

    /// The words of a key wherever the frame has them outside of the record: what stands there becomes their variable, too.
    fn words(&mut self, state: &mut State) {
        let little = self.machine.little();
        let step = state.place.step.number();
        for at in (-(FRAME as i64)..RECORD).step_by(8) {
            let Some(term) = self.machine.in_frame(state, at, 8) else { continue };
            let word = (var::WORDS..var::HOME).find(|word| state.place.vars[*word] == term);
            if let Some(word) = word.filter(|_| self.machine.terms.as_number(term).is_none()) {
                let variable = self.variable(step, word, 64);
                let bytes = self.machine.terms.split(variable, 8, little);
                let start = (at + FRAME as i64) as usize;
                state.frame[start..start + 8].copy_from_slice(&bytes);
            }
        }
    }

    fn variable(&mut self, step: u8, number: usize, bits: u8) -> Term {
        let zero = self.machine.terms.number(0);
        self.machine.terms.leaf(What::Variable(step), zero, number as i64, bits)
    }

    /// Renames some variables of the rules as they are, and what others are made of.
    fn names(&mut self, state: &State, whole: &[usize], parts: &[usize]) -> Names {
        let step = state.place.step.number();
        let mut names = Names::default();
        let by = &mut names.by;
        for at in whole {
            let old = state.place.vars[*at];
            let (low, high) = state.facts.range(&mut self.machine.terms, old);
            if self.machine.terms.as_number(old).is_none() && low >= 0 && high <= u64::MAX.into() {
                // A word of a key has the name that `words` gives it.
                let is_word = (var::WORDS..var::HOME).contains(at);
                let bits = if is_word { 64 } else { 64 - (high as u64).leading_zeros() as u8 };
                let new = self.variable(step, *at, bits.max(1));
                by.push((old, new));
                names.of.push((*at, new));
            }
        }
        let mut number = var::COUNT;
        for at in parts {
            for old in self.machine.terms.made_of(state.place.vars[*at]) {
                if by.iter().all(|it| it.0 != old) {
                    let new = self.variable(step, number, self.machine.terms.width(old));
                    by.push((old, new));
                    number += 1;
                }
            }
        }
        names
    }

    fn rename(&mut self, state: &mut State, by: &[(Term, Term)], first: usize) {
        let mut renamer = Renamer::new(&mut self.machine.terms, by);
        let facts = Rc::unwrap_or_clone(std::mem::take(&mut state.facts));
        state.facts = Rc::new(facts.renamed(&mut renamer));
        state.each(first, &mut |it| *it = renamer.term(*it));
    }

    /// What is not read any more is forgotten; where an entry is being chosen, so is which one.
    pub fn forget(&mut self, state: &mut State) {
        let live = self.live[state.at];
        for (at, register) in state.registers.iter_mut().enumerate() {
            if live.registers >> at & 1 == 0 {
                *register = Value::None;
            }
        }
        let pointed: Vec<i64> =
            state.registers.iter().filter_map(|it| if let Value::Frame(at) = it { Some(*at) } else { None }).collect();
        for (at, byte) in state.frame.iter_mut().enumerate() {
            // An address of the frame is that of an IPv6 address.
            let is_pointed =
                pointed.iter().any(|to| (to + FRAME as i64..to + FRAME as i64 + 16).contains(&(at as i64)));
            if !live.has(at) && !is_pointed {
                *byte = Term::NONE;
            }
        }
        if state.place.step == Step::Frame && state.at < self.machine.looks && self.is_bare(state) {
            // How much is linear gets one name, however often it was pulled: it is asked again.
            let zero = self.machine.terms.number(0);
            (state.linear, state.pulled) = (self.machine.terms.leaf(What::Linear, zero, 0, 32), false);
            state.facts = Rc::default();
        }
        self.settle(state);
        let ends = match state.place.step {
            Step::Noted(..) | Step::Full(..) => !state.points(),
            Step::Pass | Step::Drop(_) | Step::Skip
                if state.at > self.machine.looks
                    && state.registers.iter().all(|it| matches!(it, Value::None | Value::Context)) =>
            {
                true
            }
            Step::Drop(_) | Step::Pass | Step::Skip => !state.events.is_empty() && !state.points(),
            _ => false,
        };
        if ends {
            self.unread(state);
            // Only switches, counts and what the ring buffer said is asked from here on.
            let (old, terms) = (state.facts.clone(), &self.machine.terms);
            Rc::make_mut(&mut state.facts).forget(&old, &|it| {
                let config = MapRef::Node(NodeMap::Config);
                match terms.node(it) {
                    Node::Leaf(What::Context, _, at, _) => *at == context::GSO_SEGS,
                    Node::Leaf(What::Map(map), ..) => *map == config,
                    Node::Leaf(What::Answer(_), ..) => true,
                    _ => false,
                }
            });
        }
        if let Step::Allowed(family, _, Outcome::Miss | Outcome::Stale, _) = state.place.step
            && !state.events.iter().any(|it| matches!(it, Event::Swap(..) | Event::Locked(..)))
            && state.lock.is_none()
            && !self.tells_places(state)
        {
            self.widen(state, family);
        }
    }

    /// Whether nothing is held but the subject, so that all that was learnt of the packet may be learnt again.
    fn is_bare(&self, state: &State) -> bool {
        let number = |term: Term| self.machine.terms.as_number(term).is_some();
        let bare = |it: &Value| match it {
            Value::None | Value::Context => true,
            Value::Array(_, term) => *term == state.place.vars[var::SLOT],
            _ => false,
        };
        let framed = state.frame.iter().filter(|byte| **byte != Term::NONE);
        state.registers.iter().all(bare) && framed.clone().count() < 2 && framed.clone().all(|byte| number(*byte))
    }

    /// While an entry is chosen, what depends on those that were looked at becomes whatever stands there.
    fn widen(&mut self, state: &mut State, family: u8) {
        let layout = layout_of(family);
        let zero = self.machine.terms.number(0);
        let old = state.facts.clone();
        // The name of a place is given again, to what stands there now: what is known of the last one goes.
        Rc::make_mut(&mut state.facts).forget(&old, &|it| !self.depends(layout.map, it) && !self.has_place(it));
        state.reads.clear();
        let busy = u64::from(state::BUSY) << 32;
        for at in 0..state.registers.len() {
            let term = match state.registers[at] {
                Value::Number(term) => term,
                Value::Packet(term) | Value::Array(_, term) | Value::Element(_, term) => {
                    if self.has_place(term) {
                        state.registers[at] = Value::None;
                    }
                    continue;
                }
                Value::None | Value::Context | Value::Frame(_) | Value::End | Value::Map(_) => continue,
            };
            let vars = state.place.vars;
            let rules =
                Rules { machine: &mut self.machine, state, settings: self.settings, returned: None, consumed: 0, vars };
            let in_set = rules.is_in_set(family, term) && term != vars[var::HOME] && term != vars[var::ENTRY];
            if in_set || self.depends(layout.map, term) || self.has_place(term) {
                let new = self.machine.terms.leaf(What::Place(at as u8, in_set), zero, 0, 64);
                let settled = old.settle(&mut self.machine.terms, term);
                let bit = self.machine.terms.mask(settled, busy);
                if !in_set && self.machine.terms.as_number(bit) == Some(0) {
                    Rc::make_mut(&mut state.facts).note(new, busy, 0);
                }
                state.registers[at] = Value::Number(new);
            }
        }
        for at in 0..FRAME {
            let byte = state.frame[at];
            if byte != Term::NONE && (self.depends(layout.map, byte) || self.has_place(byte)) {
                state.frame[at] = self.machine.terms.leaf(What::Place(16 + (at / 8) as u8, false), zero, at as i64, 8);
            }
        }
    }

    /// Whether an event has such a term in it.
    fn tells_places(&self, state: &mut State) -> bool {
        let mut has = false;
        state.events.iter_mut().for_each(|event| event.terms(&mut |it| has |= self.has_place(*it)));
        has
    }

    /// Whether a term depends on what stands somewhere, whatever it is.
    fn has_place(&self, term: Term) -> bool {
        let (terms, mut has) = (&self.machine.terms, false);
        terms.leaves(term, &mut |leaf| has |= matches!(terms.node(leaf), Node::Leaf(What::Place(..), ..)));
        has
    }

    /// Whether a term depends on a word of a connection, or on what stood for one.
    fn depends(&self, map: MapRef, term: Term) -> bool {
        let (terms, mut depends) = (&self.machine.terms, false);
        terms.leaves(term, &mut |leaf| {
            depends |= match terms.node(leaf) {
                Node::Leaf(What::Entry(of, _), ..) => *of == map,
                Node::Leaf(What::Place(_, in_set), ..) => !in_set,
                _ => false,
            };
        });
        depends
    }
}

/// New names of terms.
#[derive(Default)]
struct Names {
    /// Each term with its name.
    by: Vec<(Term, Term)>,
    /// What a variable of the rules is called now.
    of: Vec<(usize, Term)>,
}

/// Puts terms in the place of others everywhere.
pub struct Renamer<'t> {
    pub terms: &'t mut Terms,
    by: FxHashMap<Term, Term>,
    /// Sums without their constant, likewise, and how much more they are.
    sums: FxHashMap<Term, (Term, i64)>,
    done: FxHashMap<Term, Term>,
}

impl<'t> Renamer<'t> {
    fn new(terms: &'t mut Terms, by: &[(Term, Term)]) -> Renamer<'t> {
        let mut sums = FxHashMap::default();
        for (old, new) in by {
            let (whole, constant) = terms.apart(*old);
            if constant != 0 {
                sums.insert(whole, (*new, -constant));
            }
        }
        Renamer { terms, by: by.iter().copied().collect(), sums, done: FxHashMap::default() }
    }

    pub fn term(&mut self, term: Term) -> Term {
        if term == Term::NONE {
            return term;
        }
        let (by, sums) = (&self.by, &self.sums);
        let mut one = |terms: &mut Terms, it: Term| {
            if let Some(new) = by.get(&it) {
                return Some(*new);
            }
            // What is no sum has no constant beside it.
            let (whole, constant) = if let Node::Sum(..) = terms.node(it) { terms.apart(it) } else { (it, 0) };
            let (new, more) = sums.get(&whole).or(by.get(&whole).map(|new| (*new, 0)).as_ref()).copied()?;
            Some(terms.plus(new, more.wrapping_add(constant)))
        };
        self.terms.replace_with(term, &mut one, &mut self.done)
    }
}
