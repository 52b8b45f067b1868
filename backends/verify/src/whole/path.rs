//! All paths of a program beside the rules.

use super::live::{Live, live};
use super::machine::{FRAME, Machine, Next, State, Value, context};
use super::place::{Place, Settings, Step, var};
use super::rules::{RECORD, Rules, Stop, is_pulled};
use super::term::{Term, Terms, What};
use crate::insn::{CALL, EXIT, Insn, JUMP};
use crate::lift::{Refused, Region, Subject};
use crate::template;
use image::layout::{self, record};
use image::{Hook, Image, MapRef, NodeMap, Program};
use rustc_hash::FxHashSet;
use std::rc::Rc;

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
pub fn prove(image: &Image, program: &Program) -> Result<Whole, Refused> {
    let regions = &Subject::of(image, program).and_then(template::regions).unwrap_or_default();
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

pub struct Paths<'i> {
    pub machine: Machine<'i>,
    pub settings: Settings,
    pub live: Vec<Live>,
    /// Where paths meet.
    joins: Vec<bool>,
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
        let machine = Machine { image, program, regions, insns, terms, len, looks };
        let live = live(&machine);
        let mut joins: Vec<bool> = comes.into_iter().map(|ways| ways > 1).collect();
        for region in regions {
            if let Some(join) = joins.get_mut(region.start) {
                *join = true;
            }
        }
        Paths { machine, settings, live, joins, open: Vec::new(), seen: FxHashSet::default() }
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
            facts: Rc::default(),
            place: Place { step: Step::Start, vars },
            events: Vec::new(),
            reads: Vec::new(),
            linear: self.machine.terms.leaf(What::Linear, zero, 0, 32),
            pulled: false,
            lock: None,
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
                Err(Stop::Wrong(what)) => {
                    return Err(Refused { at: state.at, what });
                }
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
                Err(Stop::Wait) => {
                    return Err(refused("the program ends before the rules do"));
                }
                Err(Stop::Wrong(what)) => {
                    return Err(refused(what));
                }
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
        // The guard of the tunnel loads the protocol that it found as a number.
        if let (Step::Way(_, _, 0), Some(_)) = (state.place.step, self.settings.tunnel) {
            let (terms, facts) = (&mut self.machine.terms, state.facts.clone());
            state.each(0, &mut |it| *it = facts.settle(terms, *it));
        }
        state.before = Some(state.facts.clone());
    }
}
