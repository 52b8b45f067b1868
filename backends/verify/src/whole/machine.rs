//! One path of a program, instruction by instruction, over terms.
//!
//! Memory is what programs of this project touch: the frame, the packet, the context, maps. Anything else is refused. What a path does
//! to the outside is a list of [`Event`]s, which the rules take off as they expect them.

mod calls;
mod locks;

pub use calls::PULLED;
pub use locks::Lock;

use super::facts::{Answer, Claim, Facts};
use super::place::Place;
use super::term::{Node, SAR, Slice, Term, Terms, What};
use crate::insn::{CALL, EXIT, Insn, JUMP, WIDE};
use crate::lift::{Refused, Region};
use image::{Image, MapRef, NodeMap, Program};
use std::rc::Rc;

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// Nothing that may be read.
    None,
    Number(Term),
    Context,
    Frame(i64),
    /// The packet, so many bytes further.
    Packet(Term),
    /// The end of its linear part.
    End,
    Map(MapRef),
    /// A byte of an array's value.
    Array(MapRef, Term),
    /// What a look-up of a key found, if anything.
    Element(MapRef, Term),
}

/// What a program does to the outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A number of eight bytes grows.
    Count(MapRef, Term, Term),
    /// A key is given a value.
    Update(MapRef, Term, Term),
    /// Bytes are written to the ring buffer; what that gave.
    Record(Term, Term),
    /// A word is exchanged if it is an old one; what it was.
    Swap(MapRef, Term, [Term; 3]),
    /// A word is compared with an old one under a lock, and becomes a new one where it was that, or stays: there is no new one then.
    /// The number of the lock, where, the old word, the new one.
    Locked(MapRef, [Term; 4]),
    /// A word is exchanged.
    Exchange(MapRef, Term, Term),
    /// Eight bytes are stored.
    Store(MapRef, Term, Term),
}

impl Event {
    /// Every term in it; none is not one.
    pub fn terms(&mut self, each: &mut dyn FnMut(&mut Term)) {
        match self {
            Event::Count(_, a, b) | Event::Update(_, a, b) | Event::Record(a, b) => [a, b].into_iter().for_each(each),
            Event::Exchange(_, a, b) | Event::Store(_, a, b) => [a, b].into_iter().for_each(each),
            Event::Swap(_, a, [b, c, d]) | Event::Locked(_, [a, b, c, d]) => {
                [a, b, c, d].into_iter().filter(|it| **it != Term::NONE).for_each(each);
            }
        }
    }
}

/// Bytes of the frame that may be used.
pub const FRAME: usize = 256;

/// A path.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub at: usize,
    pub registers: [Value; 10],
    /// The frame, byte by byte, from its lowest.
    pub frame: [Term; FRAME],
    pub facts: Rc<Facts>,
    /// Where the rules are.
    pub place: Place,
    pub events: Vec<Event>,
    /// Words of connections that were read since the rules went on, in order: where, and what.
    pub reads: Vec<(MapRef, Term, Term)>,
    /// How many bytes of the packet are linear.
    pub linear: Term,
    pub pulled: bool,
    /// The lock that is held.
    pub lock: Option<Lock>,
    /// The time, once it was asked for.
    pub now: Option<Term>,
    /// What the decision gave: a leaf, or `None` inside for a table that does not fit.
    pub ruled: Option<Option<u8>>,
    /// What was known when the rules took their last step, until paths meet.
    pub before: Option<Rc<Facts>>,
}

impl State {
    /// Every term that is held in registers, frame and events, and what the rules remember from one variable on.
    pub fn each(&mut self, first: usize, each: &mut dyn FnMut(&mut Term)) {
        for register in &mut self.registers {
            match register {
                Value::Number(it) | Value::Packet(it) | Value::Array(_, it) | Value::Element(_, it) => each(it),
                Value::None | Value::Context | Value::Frame(_) | Value::End | Value::Map(_) => {}
            }
        }
        self.frame.iter_mut().filter(|byte| **byte != Term::NONE).for_each(&mut *each);
        self.place.vars[first..].iter_mut().for_each(&mut *each);
        self.events.iter_mut().for_each(|event| event.terms(&mut *each));
    }

    /// Whether the packet may still be read: a register points to it.
    pub fn points(&self) -> bool {
        self.registers.iter().any(|it| matches!(it, Value::Packet(_) | Value::End))
    }
}

/// What every path shares.
pub struct Machine<'i> {
    pub image: &'i Image,
    pub program: &'i Program,
    pub regions: &'i [Region],
    pub insns: Vec<Insn>,
    pub terms: Terms,
    /// Bytes of the packet, in the context.
    pub len: Term,
    /// The last instruction that asks where the packet is.
    pub looks: usize,
}

/// How a path goes on.
pub enum Next {
    /// At one instruction.
    On,
    /// At several.
    Fork(Vec<State>),
    /// It has ended; what it returned.
    Exit(Term),
}

/// Offsets in `struct __sk_buff`.
pub mod context {
    pub const LEN: i64 = 0;
    pub const VLAN_PRESENT: i64 = 20;
    pub const VLAN_TCI: i64 = 24;
    pub const INGRESS_IFINDEX: i64 = 36;
    pub const IFINDEX: i64 = 40;
    pub const DATA: i64 = 76;
    pub const DATA_END: i64 = 80;
    pub const GSO_SEGS: i64 = 164;
}

impl<'i> Machine<'i> {
    pub fn little(&self) -> bool {
        self.image.target.little_endian
    }

    /// A field of the context.
    pub fn context(&mut self, at: i64) -> Term {
        let zero = self.terms.number(0);
        self.terms.leaf(What::Context, zero, at, 32)
    }

    /// A number in memory that does not change: bytes from an offset on.
    pub fn bytes(&mut self, what: What, at: Term, width: u32) -> Term {
        let (of, first) = self.terms.apart(at);
        let bytes: Vec<Term> =
            (0..i64::from(width)).map(|byte| self.terms.leaf(what, of, first.wrapping_add(byte), 8)).collect();
        let little = self.little();
        self.terms.join(&bytes, little)
    }

    /// Runs one instruction. Errors: what no program of this project does.
    pub fn step(&mut self, state: &mut State) -> Result<Next, Refused> {
        let at = state.at;
        let refused = |what| Refused { at, what };
        let insn = *self.insns.get(at).ok_or(refused("the program ends here"))?;
        if !insn.is_plain() || insn.dst > 10 || insn.src > 10 {
            return Err(refused("an instruction that no kernel takes"));
        }
        if state.lock.is_some() && !locks::may_stand(insn) {
            return Err(refused("an instruction under a lock that no template has there"));
        }
        state.at += 1;
        match (insn.class(), insn.opcode) {
            (_, WIDE) => self.wide(state, insn).ok_or(refused("a wide load of another form"))?,
            (_, CALL) => self.call(state, insn).ok_or(refused("a call of another form"))?,
            (_, EXIT) => {
                return match state.registers[0] {
                    Value::Number(it) => Ok(Next::Exit(it)),
                    _ => Err(refused("what is returned is no number")),
                };
            }
            (_, JUMP) => state.at = target(at, insn).ok_or(refused("a jump backwards"))?,
            (5 | 6, _) => return self.branch(state, insn).ok_or(refused("a comparison of another form")),
            (4 | 7, _) => return self.arithmetic(state, insn).ok_or(refused("arithmetic of another form")),
            (1, _) => return self.load(state, insn).ok_or(refused("a load of another form")),
            (2 | 3, opcode) if opcode & 0xe0 == 0x60 => {
                self.store(state, insn).ok_or(refused("a store of another form"))?;
            }
            (3, 0xdb) => self.atomic(state, insn).ok_or(refused("an atomic operation of another form"))?,
            _ => return Err(refused("an instruction that no template needs")),
        }
        Ok(Next::On)
    }

    fn set(&self, state: &mut State, register: u8, value: Value) -> Option<()> {
        *state.registers.get_mut(usize::from(register))? = value;
        Some(())
    }

    fn get(&self, state: &State, register: u8) -> Option<Value> {
        match register {
            10 => Some(Value::Frame(0)),
            _ => Some(state.registers[usize::from(register)]).filter(|it| *it != Value::None),
        }
    }

    fn operand(&mut self, state: &State, insn: Insn) -> Option<Value> {
        if insn.by_register() {
            self.get(state, insn.src)
        } else {
            Some(Value::Number(self.terms.number(i64::from(insn.imm) as u64)))
        }
    }

    fn wide(&mut self, state: &mut State, insn: Insn) -> Option<()> {
        let at = state.at - 1;
        let high = *self.insns.get(at + 1)?;
        let empty = Insn { opcode: 0, dst: 0, src: 0, offset: 0, imm: high.imm };
        let reloc = self.program.relocs.iter().find(|reloc| reloc.at as usize == at);
        if insn.src != 0 || insn.offset != 0 || high != empty || reloc.is_some() && (insn.imm, high.imm) != (0, 0) {
            return None;
        }
        let value = match reloc {
            Some(reloc) => match reloc.value_offset {
                Some(offset) => Value::Array(reloc.map, self.terms.number(offset.into())),
                None => Value::Map(reloc.map),
            },
            None => Value::Number(self.terms.number(u64::from(insn.imm as u32) | u64::from(high.imm as u32) << 32)),
        };
        state.at += 1;
        self.set(state, insn.dst, value)
    }

    fn arithmetic(&mut self, state: &mut State, insn: Insn) -> Option<Next> {
        let op = insn.opcode & 0xf0;
        // A swap of bytes has its width as immediate.
        if op == 0xd0 {
            let Value::Number(term) = self.get(state, insn.dst)? else { return None };
            let (to_network, bits) = (insn.opcode == 0xdc, u32::try_from(insn.imm).ok()?);
            if !to_network || !matches!(bits, 16 | 32 | 64) {
                return None;
            }
            let little = self.little();
            let swapped = self.terms.swap(term, bits, little);
            self.set(state, insn.dst, Value::Number(swapped))?;
            return Some(Next::On);
        }
        let right = self.operand(state, insn)?;
        if op == 0xb0 {
            let moved = match right {
                Value::Number(term) if insn.class() == 4 => Value::Number(state.facts.low(&mut self.terms, term)),
                _ if insn.class() == 4 => return None,
                other => other,
            };
            self.set(state, insn.dst, moved)?;
            return Some(Next::On);
        }
        if insn.class() != 7 {
            return None;
        }
        let left = self.get(state, insn.dst)?;
        let value = match (op, left, right) {
            (0xc0, Value::Number(a), Value::Number(b)) if self.terms.as_number(b) == Some(63) => {
                return self.sign(state, insn.dst, a);
            }
            (0x00 | 0x10 | 0x20 | 0x40..=0x70 | 0xa0 | SAR, Value::Number(a), Value::Number(b)) => {
                Value::Number(self.calculate(state, op, a, b)?)
            }
            (0x00, Value::Frame(at), Value::Number(by)) => {
                Value::Frame(at.checked_add(self.terms.as_number(by)? as i64)?)
            }
            (0x00, Value::Packet(at), Value::Number(by)) => Value::Packet(self.terms.add(at, by, 1)),
            (0x00, Value::Array(map, at), Value::Number(by)) => Value::Array(map, self.terms.add(at, by, 1)),
            (0x10, Value::End, Value::Packet(at)) => Value::Number(self.terms.add(state.linear, at, -1)),
            _ => return None,
        };
        self.set(state, insn.dst, value)?;
        Some(Next::On)
    }

    /// Arithmetic, with what is known of its operands where a mask or a shift needs that.
    fn calculate(&mut self, state: &State, op: u8, a: Term, b: Term) -> Option<Term> {
        let (a, by) = match (op, self.terms.as_number(b)) {
            (0x60 | 0x70 | SAR, by) => (a, Some(by.filter(|by| *by < 64)?)),
            (_, by) => (a, by),
        };
        if let (super::term::AND, Some(mask), Node::Sum(parts, constant)) = (op, by, self.terms.node(a).clone()) {
            // A mask that takes nothing away: all bits beyond it are zero.
            let (low, high) = state.facts.range(&mut self.terms, a);
            let aligned = parts.iter().map(|it| it.1.trailing_zeros()).min()?.min(constant.trailing_zeros());
            if low >= 0 && high < 1 << 63 {
                let may = (1u64 << (64 - (high as u64).leading_zeros())) - 1;
                if may & !mask & u64::MAX << aligned == 0 {
                    return Some(a);
                }
            }
        }
        Some(self.terms.op(op, a, b))
    }

    /// All bits are the sign: 0 or -1, each on a path of its own.
    fn sign(&mut self, state: &mut State, register: u8, term: Term) -> Option<Next> {
        let term = state.facts.settle(&mut self.terms, term);
        let (low, high) = state.facts.range(&mut self.terms, term);
        if low < i128::from(i64::MIN) || high > i128::from(i64::MAX) {
            return None;
        }
        let zero = self.terms.number(0);
        let opposite = self.terms.add(zero, term, -1);
        let answer = state.facts.positive(&mut self.terms, opposite);
        match answer {
            Answer::Known(negative) => {
                let all = self.terms.number(if negative { u64::MAX } else { 0 });
                self.set(state, register, Value::Number(all))?;
                Some(Next::On)
            }
            Answer::Open(claim, _) => Some(self.fork(state, &claim)),
        }
    }

    /// The same instruction again, once with a claim and once without it.
    fn fork(&mut self, state: &State, claim: &Claim) -> Next {
        let again = State { at: state.at - 1, ..state.clone() };
        Next::Fork(self.split(&again, claim))
    }

    /// A path with a claim, and without it; less those that cannot be.
    pub fn split(&mut self, state: &State, claim: &Claim) -> Vec<State> {
        let mut out = Vec::new();
        for way in [true, false] {
            let mut next = state.clone();
            if Rc::make_mut(&mut next.facts).assume(&mut self.terms, claim, way) {
                out.push(next);
            }
        }
        out
    }

    /// Both ways of a comparison, each with what is then known; one where the path knows already.
    fn branch(&mut self, state: &mut State, insn: Insn) -> Option<Next> {
        let to = target(state.at - 1, insn)?;
        let (left, right) = (self.get(state, insn.dst)?, self.operand(state, insn)?);
        let (op, short) = (insn.opcode & 0xf0, insn.class() == 6);
        if let Answer::Known(taken) = self.compared(state, op, short, left, right)? {
            state.compared(op, short, left, right, taken);
            state.at = if taken { to } else { state.at };
            return Some(Next::On);
        }
        let (mut open, mut out) = (vec![state.clone()], Vec::new());
        while let Some(mut state) = open.pop() {
            match self.compared(&state, op, short, left, right)? {
                Answer::Known(taken) => {
                    state.compared(op, short, left, right, taken);
                    if taken {
                        state.at = to;
                    }
                    out.push(state);
                }
                Answer::Open(claim, _) => open.extend(self.split(&state, &claim)),
            }
        }
        if out.len() > 1 {
            return Some(Next::Fork(out));
        }
        *state = out.pop()?;
        Some(Next::On)
    }

    fn compared(&mut self, state: &State, op: u8, short: bool, left: Value, right: Value) -> Option<Answer> {
        match (left, right) {
            (Value::Number(a), Value::Number(b)) => Some(state.facts.compare(&mut self.terms, op, short, a, b)),
            (Value::Packet(at), Value::End) if !short => {
                Some(state.facts.compare(&mut self.terms, op, false, at, state.linear))
            }
            (Value::Element(map, key), Value::Number(zero))
                if matches!(op, 0x10 | 0x50) && !short && self.terms.as_number(zero) == Some(0) =>
            {
                let has = match self.is_lock(state, map, key) {
                    true => self.terms.number(1),
                    false => self.terms.leaf(What::Has(map), key, 0, 1),
                };
                Some(state.facts.compare(&mut self.terms, op, false, has, zero))
            }
            _ => None,
        }
    }

    /// The bytes of the frame from an offset on.
    pub fn framed(&self, state: &State, at: i64, len: usize) -> Option<Vec<Term>> {
        let start = usize::try_from(at + FRAME as i64).ok()?;
        let bytes = state.frame.get(start..start.checked_add(len)?)?;
        bytes.iter().all(|byte| *byte != Term::NONE).then(|| bytes.to_vec())
    }

    /// The number that stands in the frame.
    pub fn in_frame(&mut self, state: &State, at: i64, width: usize) -> Option<Term> {
        let bytes = self.framed(state, at, width)?;
        let little = self.little();
        let term = self.terms.join(&bytes, little);
        // A number of fewer bytes that was written and read as such.
        if let (_, 0) = self.terms.slices(term)
            && let [Slice { to: 0, of, from: 0, len }] = self.terms.slices(term).0[..]
        {
            let (low, high) = state.facts.range(&mut self.terms, of);
            if low >= 0 && high >> len == 0 {
                return Some(of);
            }
        }
        Some(term)
    }

    fn load(&mut self, state: &mut State, insn: Insn) -> Option<Next> {
        if insn.opcode & 0xe0 != 0x60 {
            return None;
        }
        let (offset, width) = (i64::from(insn.offset), insn.width());
        let wide = width as u32;
        let value = match self.get(state, insn.src)? {
            Value::Frame(at) if aligned(at + offset, width) => {
                let term = self.in_frame(state, at + offset, width)?;
                match *self.terms.node(term) {
                    Node::Leaf(What::Address(map), key, 0, 64) => Value::Element(map, key),
                    _ => Value::Number(term),
                }
            }
            Value::Context => match (offset, width) {
                (context::DATA, 4) => Value::Packet(self.terms.number(0)),
                (context::DATA_END, 4) => Value::End,
                (_, 4) => Value::Number(self.context(offset)),
                _ => return None,
            },
            Value::Packet(at) => {
                let at = state.facts.settle(&mut self.terms, at);
                let at = self.terms.plus(at, offset);
                Value::Number(self.bytes(What::Packet, at, wide))
            }
            Value::Array(map, at) => {
                let at = self.terms.plus(at, offset);
                match map {
                    MapRef::Node(NodeMap::Track4 | NodeMap::Track6) if width == 8 => {
                        let (of, first) = self.terms.apart(at);
                        let word = self.terms.leaf(What::Entry(map, state.at as u32), of, first, 64);
                        match &mut state.lock {
                            None => state.reads.push((map, at, word)),
                            Some(lock) => lock.read(map, at, word)?,
                        }
                        Value::Number(word)
                    }
                    MapRef::Node(NodeMap::Config | NodeMap::Endpoints | NodeMap::Address4) | MapRef::Own(_) => {
                        let at = state.facts.settle(&mut self.terms, at);
                        // An offset that depends on a few bits is looked at with each of them.
                        if map == MapRef::Node(NodeMap::Config) && self.terms.as_number(at).is_none() {
                            let claim = self.bit_of(at)?;
                            return Some(self.fork(state, &claim));
                        }
                        Value::Number(self.bytes(What::Map(map), at, wide))
                    }
                    _ => return None,
                }
            }
            // That it was found was asked before, or no kernel takes the program.
            Value::Element(map, key) if map != MapRef::Node(NodeMap::Locks) => {
                let bytes = self.elements(map, key, offset, wide);
                Value::Number(bytes)
            }
            _ => return None,
        };
        self.set(state, insn.dst, value)?;
        Some(Next::On)
    }

    /// Bytes of the value that a map has for a key.
    pub fn elements(&mut self, map: MapRef, key: Term, at: i64, width: u32) -> Term {
        let bytes: Vec<Term> =
            (0..i64::from(width)).map(|byte| self.terms.leaf(What::Found(map), key, at + byte, 8)).collect();
        let little = self.little();
        self.terms.join(&bytes, little)
    }

    /// That one unknown bit of a term is set. Errors: `None` where it depends on more than a few.
    fn bit_of(&mut self, term: Term) -> Option<Claim> {
        let mut bits = Vec::new();
        bits_of(&self.terms, term, &mut bits);
        bits.sort_unstable();
        bits.dedup();
        let (of, bit) = *bits.first().filter(|_| bits.len() <= 8)?;
        Some(Claim::Are(vec![(of, 1 << bit, 1 << bit)]))
    }

    fn store(&mut self, state: &mut State, insn: Insn) -> Option<()> {
        let width = insn.width();
        let value = if insn.class() == 3 {
            match self.get(state, insn.src)? {
                Value::Number(term) => term,
                Value::Element(map, key) if width == 8 => self.terms.leaf(What::Address(map), key, 0, 64),
                _ => return None,
            }
        } else {
            self.terms.number(i64::from(insn.imm) as u64)
        };
        let offset = i64::from(insn.offset);
        match self.get(state, insn.dst)? {
            Value::Frame(at) if aligned(at + offset, width) => {
                let little = self.little();
                let bytes = self.terms.split(value, width as u32, little);
                let start = usize::try_from(at + offset + FRAME as i64).ok()?;
                state.frame.get_mut(start..start + width)?.copy_from_slice(&bytes);
                Some(())
            }
            Value::Array(map @ MapRef::Node(NodeMap::Track4 | NodeMap::Track6), at) if width == 8 => {
                let at = self.terms.plus(at, offset);
                match &mut state.lock {
                    None => state.events.push(Event::Store(map, at, value)),
                    Some(lock) => lock.store(map, at, value)?,
                }
                Some(())
            }
            _ => None,
        }
    }

    fn atomic(&mut self, state: &mut State, insn: Insn) -> Option<()> {
        let (Value::Array(map, at), Value::Number(value)) = (self.get(state, insn.dst)?, self.get(state, insn.src)?)
        else {
            return None;
        };
        let at = self.terms.plus(at, i64::from(insn.offset));
        let track = matches!(map, MapRef::Node(NodeMap::Track4 | NodeMap::Track6));
        match insn.imm {
            0x00 if !track => state.events.push(Event::Count(map, at, value)),
            0xe1 if track => {
                state.events.push(Event::Exchange(map, at, value));
                self.set(state, insn.src, Value::None)?;
            }
            0xf1 if track => {
                let Value::Number(old) = self.get(state, 0)? else { return None };
                let was = self.answer(state);
                state.events.push(Event::Swap(map, at, [old, value, was]));
                self.set(state, 0, Value::Number(was))?;
            }
            _ => return None,
        }
        Some(())
    }

    /// What this instruction gives, which nobody knows before. Jumps lead forward, so it gives nothing twice.
    fn answer(&mut self, state: &State) -> Term {
        let zero = self.terms.number(0);
        self.terms.leaf(What::Answer(state.at as u32), zero, 0, 64)
    }
}

/// Whether an access to the frame begins at a multiple of its width, as kernels ask.
fn aligned(at: i64, width: usize) -> bool {
    at.rem_euclid(width as i64) == 0
}

/// Where a jump leads; `None` backwards.
fn target(at: usize, insn: Insn) -> Option<usize> {
    Some(at + 1 + usize::try_from(insn.offset).ok()?)
}

/// The bits that a term depends on.
fn bits_of(terms: &Terms, term: Term, bits: &mut Vec<(Term, u8)>) {
    match terms.node(term) {
        Node::Number(_) | Node::List(_) => {}
        Node::Leaf(_, _, _, len) => bits.extend((0..*len).map(|bit| (term, bit))),
        Node::Bits(slices, _) => {
            for it in slices {
                match terms.node(it.of) {
                    Node::Leaf(..) => bits.extend((it.from..it.from + it.len).map(|bit| (it.of, bit))),
                    _ => bits_of(terms, it.of, bits),
                }
            }
        }
        Node::Sum(parts, _) => parts.iter().for_each(|it| bits_of(terms, it.0, bits)),
        Node::Op(_, a, b) => {
            bits_of(terms, *a, bits);
            bits_of(terms, *b, bits);
        }
    }
}
