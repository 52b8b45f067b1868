//! All paths of a program beside the rules.

use super::facts::Facts;
use super::live::{Live, live};
use super::machine::{FRAME, Machine, Next, State, Value, context};
use super::rules::{Outcome, Place, RECORD, Rules, Settings, Step, Stop, is_pulled, var};
use super::term::{Node, Term, Terms, What};
use super::track::layout_of;
use image::layout::{self, record, state};
use image::{Hook, Image, MapRef, NodeMap, Program};
use rustc_hash::{FxHashMap, FxHashSet};
use verify::insn::{CALL, EXIT, Insn, JUMP};
use verify::lift::{Refused, Region};

/// What was proved of a program around its decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The switches of the node that it is right for.
    pub settings: Settings,
    /// States that were looked at where paths meet, all of them different.
    pub states: usize,
}

/// More different states than any template has: a program of that many is refused.
const STATES: usize = 150_000;

/// Proves a program around its decisions, for the settings that it is right for.
///
/// Errors: the first path that does something else than the rules, or something that is not understood.
pub fn prove(image: &Image, program: &Program, regions: &[Region]) -> Result<Whole, Refused> {
    let mut refused = Refused { at: 0, what: "no settings of a node are those of the program" };
    for settings in candidates(image, program) {
        match Paths::new(image, program, regions, settings).all() {
            Ok(states) => return Ok(Whole { settings, states }),
            // The path that came furthest says most.
            Err(other) if other.at >= refused.at => refused = other,
            Err(_) => {}
        }
    }
    Err(refused)
}

/// The settings that a program may be for, the likeliest first.
fn candidates(image: &Image, program: &Program) -> Vec<Settings> {
    let uses = program.relocs.iter().filter(|reloc| reloc.map == MapRef::Node(NodeMap::Fragments)).count();
    let fragments: &[(bool, bool)] = match uses {
        0 => &[(false, false)],
        1..=3 => &[(true, false), (false, true)],
        _ => &[(true, true)],
    };
    let little = image.target.little_endian;
    let insns: Vec<Insn> = program.insns.iter().map(|word| Insn::read(*word, little)).collect();
    // The port that is asked for after UDP was.
    let port = insns.windows(2).find(|pair| (pair[0].opcode, pair[0].imm, pair[1].opcode) == (0x55, 17, 0x55));
    let raw = |port: i32| if little { (port as u16).swap_bytes() } else { port as u16 };
    let tunnel = port.filter(|_| program.hook == Hook::FromEndpoint).map(|pair| raw(pair[1].imm));
    fragments.iter().map(|&(fragments4, fragments6)| Settings { fragments4, fragments6, tunnel }).collect()
}

struct Paths<'i> {
    machine: Machine<'i>,
    settings: Settings,
    live: Vec<Live>,
    /// Where paths meet.
    joins: Vec<bool>,
    /// Behind the last instruction that asks where the packet is.
    looks: usize,
    open: Vec<State>,
    seen: FxHashSet<State>,
}

impl<'i> Paths<'i> {
    fn new(image: &'i Image, program: &'i Program, regions: &'i [Region], settings: Settings) -> Paths<'i> {
        let little = image.target.little_endian;
        let insns: Vec<Insn> = program.insns.iter().map(|word| Insn::read(*word, little)).collect();
        let mut terms = Terms::new();
        let zero = terms.number(0);
        let len = terms.leaf(What::Context, zero, context::LEN, 32);
        let mut comes = vec![0u32; insns.len() + 1];
        for (at, insn) in insns.iter().enumerate() {
            if (insn.jumps() || insn.opcode == JUMP)
                && let Some(to) = usize::try_from(insn.offset).ok().and_then(|offset| comes.get_mut(at + 1 + offset))
            {
                *to += 1;
            }
            if !matches!(insn.opcode, EXIT | JUMP) {
                comes[at + 1] += 1;
            }
        }
        let looks = |it: &Insn| it.opcode == 0x61 && i64::from(it.offset) == context::DATA;
        let looks = insns.iter().rposition(looks).unwrap_or(0);
        let machine = Machine { image, program, regions, insns, terms, len };
        let live = live(&machine);
        let mut joins: Vec<bool> = comes.into_iter().map(|ways| ways > 1).collect();
        for region in regions {
            if let Some(join) = joins.get_mut(region.start) {
                *join = true;
            }
        }
        Paths { machine, settings, live, joins, looks, open: Vec::new(), seen: FxHashSet::default() }
    }

    /// Follows every path to its end; how many states there were where they meet.
    fn all(mut self) -> Result<usize, Refused> {
        let (zero, none) = (self.machine.terms.number(0), self.machine.terms.number(layout::record::NO_LEAF.into()));
        let mut vars = [zero; var::COUNT];
        vars[var::LEAF] = none;
        let mut registers = [Value::None; 10];
        registers[1] = Value::Context;
        self.open.push(State {
            at: 0,
            registers,
            frame: [Term::NONE; FRAME],
            facts: Facts::default(),
            place: Place { step: Step::Start, vars },
            events: Vec::new(),
            reads: Vec::new(),
            linear: self.machine.terms.leaf(What::Linear, zero, 0, 32),
            pulled: false,
            now: None,
            ruled: None,
            before: None,
        });
        while let Some(state) = self.open.pop() {
            self.follow(state)?;
            if self.seen.len() > STATES {
                return Err(Refused { at: 0, what: "more paths than any template has" });
            }
        }
        Ok(self.seen.len())
    }

    /// Follows a path to its end, to a fork, or to where another one was alike.
    fn follow(&mut self, mut state: State) -> Result<(), Refused> {
        // The rules keep up with what is learnt: what they do not need any more is forgotten before more is.
        self.advance(&mut state)?;
        loop {
            if self.joins.get(state.at) == Some(&true) {
                self.advance(&mut state)?;
                self.forget(&mut state);
                if !self.seen.insert(state.clone()) {
                    return Ok(());
                }
            }
            if let Some(region) = self.machine.regions.iter().find(|region| region.start == state.at) {
                let region = *region;
                return self.decision(&state, region);
            }
            let calls = self.machine.insns.get(state.at).is_some_and(|insn| insn.opcode == CALL);
            let events = state.events.len();
            match self.machine.step(&mut state)? {
                Next::On if calls || state.events.len() > events => self.advance(&mut state)?,
                Next::On => {}
                Next::Fork(ways) => {
                    self.open.extend(ways);
                    return Ok(());
                }
                Next::Exit(returned) => return self.finish(state, returned),
            }
        }
    }

    /// The rules go on as far as the path lets them.
    fn advance(&mut self, state: &mut State) -> Result<(), Refused> {
        loop {
            let vars = state.place.vars;
            let mut rules =
                Rules { machine: &mut self.machine, state, settings: self.settings, returned: None, consumed: 0, vars };
            let next = rules.go_on();
            let consumed = rules.consumed;
            match next {
                Ok(place) => {
                    state.events.drain(..consumed);
                    self.moved(state, place);
                }
                Err(Stop::Open(_) | Stop::Wait) => return Ok(()),
                Err(Stop::Wrong(what)) => return Err(Refused { at: state.at, what }),
            }
        }
    }

    /// At the end of a path the rules come to theirs, whatever they still ask.
    fn finish(&mut self, state: State, returned: Term) -> Result<(), Refused> {
        let mut open = vec![state];
        while let Some(mut state) = open.pop() {
            let refused = |what| Refused { at: state.at - 1, what };
            if state.place.step == Step::Done {
                continue;
            }
            let vars = state.place.vars;
            let mut rules = Rules {
                machine: &mut self.machine,
                state: &state,
                settings: self.settings,
                returned: Some(returned),
                consumed: 0,
                vars,
            };
            let next = rules.go_on();
            let consumed = rules.consumed;
            match next {
                Ok(place) => {
                    state.events.drain(..consumed);
                    state.place = place;
                    open.push(state);
                }
                Err(Stop::Open(claim)) => open.extend(self.machine.split(&state, &claim)),
                Err(Stop::Wait) => return Err(refused("the program ends before the rules do")),
                Err(Stop::Wrong(what)) => return Err(refused(what)),
            }
        }
        Ok(())
    }

    /// The decision: asked about the right peer and key, it leads where the lifter says, and leaves open what it clobbers.
    fn decision(&mut self, state: &State, region: Region) -> Result<(), Refused> {
        let refused = |what| Refused { at: region.start, what };
        let Step::Decide(..) = state.place.step else {
            return Err(refused("the policy is asked where it should not"));
        };
        let same = |paths: &mut Paths, found: Option<Term>, expected: usize| {
            let terms = &mut paths.machine.terms;
            let expected = state.facts.settle(terms, state.place.vars[expected]);
            found.is_some_and(|found| state.facts.settle(terms, found) == expected)
        };
        let peer = if let Value::Number(peer) = state.registers[2] { Some(peer) } else { None };
        let key = self.machine.in_frame(state, RECORD + i64::from(record::L4_KEY), 4);
        if !same(self, peer, var::PEER) || !same(self, key, var::KEY) {
            return Err(refused("the policy is asked about another peer or key"));
        }
        let (zero, place) = (self.machine.terms.number(0), self.machine.terms.number(record::NO_LEAF.into()));
        let leaf = self.machine.terms.leaf(What::Answer(region.start as u32), zero, 0, 32);
        let ways = [
            (Some(region.allow), Some(layout::LEAF_ALLOW)),
            (Some(region.no_proxy), Some(layout::LEAF_REDIRECT)),
            (Some(region.auth_required), Some(layout::LEAF_AUTH)),
            (Some(region.end), Some(layout::LEAF_DENY)),
            (region.broken, None),
        ];
        for (at, ruled) in ways {
            let Some(at) = at else { continue };
            let mut next = State { at, ruled: Some(ruled), ..state.clone() };
            next.registers[..6].fill(Value::None);
            next.place.vars[var::LEAF] = if ruled.is_some() { leaf } else { place };
            for (offset, term) in [(record::PEER, state.place.vars[var::PEER]), (record::LEAF, leaf)] {
                let start = (FRAME as i64 + RECORD) as usize + offset as usize;
                let little = self.machine.little();
                let bytes = self.machine.terms.split(term, 4, little);
                next.frame[start..start + 4].copy_from_slice(&bytes);
            }
            self.open.push(next);
        }
        Ok(())
    }

    /// The rules took a step. What they needed for it may be forgotten where paths meet next.
    fn moved(&mut self, state: &mut State, place: Place) {
        state.pulled |= is_pulled(&mut self.machine, state);
        state.place = place;
        let zero = self.machine.terms.number(0);
        state.place.leave(zero);
        state.reads.clear();
        state.before = Some(state.facts.clone());
    }

    /// Where paths meet behind a step of the rules, what they remember is renamed.
    fn settle(&mut self, state: &mut State) {
        let at = Value::Packet(state.place.vars[var::CURSOR]);
        let points = |it: &Value| matches!(it, Value::Packet(_) | Value::End);
        let behind = match state.place.step {
            // The program has gone on to this header, too.
            Step::Header(..) => state.registers.contains(&at),
            // It reads nothing of the packet any more.
            Step::Flow(..) | Step::Judge(..) => !state.registers.iter().any(points),
            // It has read the peer's number.
            Step::Decide(..) | Step::Decided(..) | Step::Allowed(..) | Step::Noted(..) => {
                let address = MapRef::Node(NodeMap::Address4);
                let reads = |it: &Value| match it {
                    Value::Element(..) => true,
                    Value::Array(map, _) => *map == address,
                    _ => false,
                };
                !state.registers.iter().any(reads)
            }
            _ => true,
        };
        let Some(before) = state.before.take_if(|_| behind) else { return };
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
        let by = self.names(state, &whole, &parts);
        if matches!(state.place.step, Step::Frame | Step::Header(..) | Step::Flow(..)) {
            let held = self.held(state);
            let terms = &self.machine.terms;
            state.facts.forget(&before, &|it| {
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
            state.facts.forget(&before, &|_| false);
            state.facts.add(&known);
        }
        // Addresses keep their names, though in IPv6 they are words of the key.
        let first = if whole.contains(&var::HOME) { var::WORDS } else { 0 };
        self.rename(state, &by, first);
        if let Step::Judge(..) = state.place.step {
            let by = self.names(state, &[], &[var::PORTS, var::PORTS + 1, var::KEY]);
            self.rename(state, &by, 0);
        }
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
    fn names(&mut self, state: &State, whole: &[usize], parts: &[usize]) -> Vec<(Term, Term)> {
        let step = state.place.step.number();
        let mut by: Vec<(Term, Term)> = Vec::new();
        for at in whole {
            let old = state.place.vars[*at];
            let (low, high) = state.facts.range(&mut self.machine.terms, old);
            if self.machine.terms.as_number(old).is_none() && low >= 0 && high <= u64::MAX.into() {
                let bits = 64 - (high as u64).leading_zeros() as u8;
                let new = self.variable(step, *at, bits.max(1));
                by.push((old, new));
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
        by
    }

    fn rename(&mut self, state: &mut State, by: &[(Term, Term)], first: usize) {
        let mut renamer = Renamer::new(&mut self.machine.terms, by);
        state.facts = std::mem::take(&mut state.facts).renamed(&mut renamer);
        renamer.state(state, first);
    }

    /// What is not read any more is forgotten; where an entry is being chosen, so is which one.
    fn forget(&mut self, state: &mut State) {
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
        if state.place.step == Step::Frame && state.at < self.looks && self.is_bare(state) {
            state.pulled |= is_pulled(&mut self.machine, state);
            state.facts = Facts::default();
        }
        self.settle(state);
        let ends = match state.place.step {
            Step::Noted(..) | Step::Full(..) => true,
            Step::Pass | Step::Drop(_) | Step::Skip
                if state.at > self.looks
                    && state.registers.iter().all(|it| matches!(it, Value::None | Value::Context)) =>
            {
                true
            }
            Step::Drop(_) | Step::Pass | Step::Skip => !state.events.is_empty(),
            _ => false,
        };
        if ends {
            // Only switches, counts and what the ring buffer said is asked from here on.
            let (old, terms) = (state.facts.clone(), &self.machine.terms);
            state.facts.forget(&old, &|it| {
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
            && !state.events.iter().any(|it| matches!(it, super::machine::Event::Swap(..)))
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
        state.facts.forget(&old, &|it| !self.depends(layout.map, it));
        state.reads.clear();
        let busy = u64::from(state::BUSY) << 32;
        for at in 0..state.registers.len() {
            let Value::Number(term) = state.registers[at] else { continue };
            let vars = state.place.vars;
            let rules =
                Rules { machine: &mut self.machine, state, settings: self.settings, returned: None, consumed: 0, vars };
            let in_set = rules.is_in_set(family, term) && term != vars[var::HOME] && term != vars[var::ENTRY];
            let word = self.depends(layout.map, term);
            if in_set || word {
                let new = self.machine.terms.leaf(What::Place(at as u8, in_set), zero, 0, 64);
                let settled = old.settle(&mut self.machine.terms, term);
                let bit = self.machine.terms.mask(settled, busy);
                if !in_set && self.machine.terms.as_number(bit) == Some(0) {
                    state.facts.note(new, busy, 0);
                }
                state.registers[at] = Value::Number(new);
            }
        }
        for at in 0..FRAME {
            if state.frame[at] != Term::NONE && self.depends(layout.map, state.frame[at]) {
                state.frame[at] = self.machine.terms.leaf(What::Place(16 + (at / 8) as u8, false), zero, at as i64, 8);
            }
        }
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
            let (whole, constant) = terms.apart(it);
            let (new, more) = sums.get(&whole).or(by.get(&whole).map(|new| (*new, 0)).as_ref()).copied()?;
            Some(terms.plus(new, more.wrapping_add(constant)))
        };
        self.terms.replace_with(term, &mut one, &mut self.done)
    }

    fn state(&mut self, state: &mut State, first: usize) {
        for register in &mut state.registers {
            *register = match *register {
                Value::Number(it) => Value::Number(self.term(it)),
                Value::Packet(it) => Value::Packet(self.term(it)),
                Value::Array(map, it) => Value::Array(map, self.term(it)),
                Value::Element(map, it) => Value::Element(map, self.term(it)),
                other => other,
            };
        }
        for byte in &mut state.frame {
            *byte = self.term(*byte);
        }
        for it in &mut state.place.vars[first..] {
            *it = self.term(*it);
        }
        for event in &mut state.events {
            event.terms(&mut |it| *it = self.term(*it));
        }
    }
}
