//! Follows every path of a decision.

use super::value::Value;
use super::{Cell, Class, Region, Subject, place};
use crate::dd::{Dd, KEYS, Op, Store, Term, compare};
use crate::insn::{CALL, EXIT, Insn, JUMP, WIDE};
use image::MapRef;

/// A path that left the decision.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// The instruction that it goes on at.
    pub at: usize,
    /// Whose peers take it.
    pub class: Class,
    /// Which keys take it, and what it stored.
    pub cell: Cell,
    /// Whether the leaf was counted once.
    pub counted: bool,
}

/// Every path of a decision.
pub type Lifted = Vec<Exit>;

/// What a decision does that the lifter does not know, or must not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instruction {at}: {what}")]
pub struct Refused {
    /// The instruction.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

#[derive(Clone, Copy)]
struct State {
    at: usize,
    registers: [Value; 10],
    class: Class,
    cell: Cell,
    /// Whether the peer's number was stored.
    stored: bool,
    /// Whether the peer's number is known to be inside the class table.
    inside: bool,
    /// Whether the packet is known to be segmented.
    segmented: Option<bool>,
    counted: bool,
}

struct Machine<'i, 's> {
    subject: Subject<'i>,
    region: Region,
    store: &'s mut Store,
    open: Vec<State>,
    exits: Lifted,
}

/// Lifts a decision.
///
/// Errors: [`Refused`] where it does something else than a decision may.
pub fn lift(subject: Subject<'_>, region: Region, store: &mut Store) -> Result<Lifted, Refused> {
    let mut registers: [Value; 10] = std::array::from_fn(|at| Value::Kept(at as u8));
    registers[2] = Value::Peer(0);
    let care = store.constant(1);
    let state = State {
        at: region.start,
        registers,
        class: Class::Unread,
        cell: Cell { care, leaf: None },
        stored: false,
        inside: false,
        segmented: None,
        counted: false,
    };
    let mut machine = Machine { subject, region, store, open: vec![state], exits: Vec::new() };
    while let Some(state) = machine.open.pop() {
        machine.run(state)?;
    }
    Ok(machine.exits)
}

impl Machine<'_, '_> {
    /// Follows a path to the next fork, or out.
    fn run(&mut self, mut state: State) -> Result<(), Refused> {
        while (self.region.start..self.region.end).contains(&state.at) {
            let insn = self.insn(state.at)?;
            let refused = |what| Refused { at: state.at, what };
            match insn.opcode {
                _ if !insn.is_plain() => return Err(refused("an instruction that no kernel takes")),
                WIDE => self.wide(&mut state, insn)?,
                CALL | EXIT => return Err(refused("a call or an exit inside a decision")),
                JUMP => state.at = target(state.at, insn).ok_or(refused("a jump backwards"))?,
                _ if insn.jumps() => return self.branch(state, insn),
                _ => match insn.class() {
                    7 => self.arithmetic(&mut state, insn)?,
                    1 => {
                        if self.load(&mut state, insn)? {
                            return Ok(());
                        }
                    }
                    2 | 3 => self.keep(&mut state, insn)?,
                    _ => return Err(refused("an instruction that no decision needs")),
                },
            }
        }
        let kept = (6..10).all(|at| state.registers[usize::from(at)] == Value::Kept(at));
        if !state.stored || !kept {
            return Err(Refused {
                at: state.at,
                what: "the peer is not stored, or a register that others need is gone",
            });
        }
        let State { at, class, cell, counted, .. } = state;
        self.exits.push(Exit { at, class, cell, counted });
        Ok(())
    }

    fn insn(&self, at: usize) -> Result<Insn, Refused> {
        let word = self.subject.program.insns.get(at).ok_or(Refused { at, what: "the program ends here" })?;
        Ok(Insn::read(*word, self.subject.image.target.little_endian))
    }

    fn wide(&mut self, state: &mut State, insn: Insn) -> Result<(), Refused> {
        let at = state.at;
        let reloc = self.subject.program.relocs.iter().find(|reloc| reloc.at as usize == at);
        let high = self.insn(at + 1)?;
        let empty = Insn { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0 };
        let plain = insn.src == 0 && insn.offset == 0 && high == Insn { imm: high.imm, ..empty };
        if !plain || reloc.is_some() && (insn.imm, high.imm) != (0, 0) {
            return Err(Refused { at, what: "a wide load of another form" });
        }
        let value = match reloc.map(|reloc| (reloc.map, reloc.value_offset)) {
            Some((map, Some(offset))) => Value::Pointer(map, u64::from(offset), None),
            Some((_, None)) => {
                return Err(Refused { at, what: "a decision calls no helper, so it needs no map itself" });
            }
            None => Value::Of(self.store.constant(u64::from(insn.imm as u32) | u64::from(high.imm as u32) << 32)),
        };
        self.write(state, insn.dst, value)?;
        state.at = at + 2;
        Ok(())
    }

    fn write(&self, state: &mut State, register: u8, value: Value) -> Result<(), Refused> {
        let at = state.at;
        *state
            .registers
            .get_mut(usize::from(register))
            .ok_or(Refused { at, what: "a write to the frame pointer" })? = value;
        Ok(())
    }

    fn read(&self, state: &State, register: u8) -> Result<Value, Refused> {
        let at = state.at;
        state
            .registers
            .get(usize::from(register))
            .copied()
            .ok_or(Refused { at, what: "the frame's address is no number" })
    }

    fn operand(&mut self, state: &State, insn: Insn) -> Result<Value, Refused> {
        if insn.by_register() {
            self.read(state, insn.src)
        } else {
            Ok(Value::Of(self.store.constant(i64::from(insn.imm) as u64)))
        }
    }

    fn arithmetic(&mut self, state: &mut State, insn: Insn) -> Result<(), Refused> {
        let (left, right) = (self.read(state, insn.dst)?, self.operand(state, insn)?);
        let subject = self.subject;
        let result = left.alu(insn.opcode, right, &|map| subject.is_class_table(map), self.store);
        let result = result.ok_or(Refused { at: state.at, what: "arithmetic that no decision needs" })?;
        self.write(state, insn.dst, result)?;
        state.at += 1;
        Ok(())
    }

    /// Whether the path forked: a class that is read becomes each class that there is.
    fn load(&mut self, state: &mut State, insn: Insn) -> Result<bool, Refused> {
        let refused = |what| Refused { at: state.at, what };
        if insn.opcode & 0xe0 != 0x60 {
            return Err(refused("a load of a kind that no decision needs"));
        }
        let width = insn.width();
        let value = if insn.src == 10 {
            match (insn.offset, width) {
                (place::KEY, 4) => Value::Key(0),
                _ => return Err(refused("a load from the frame that is not the key")),
            }
        } else {
            match (self.read(state, insn.src)?, insn.offset, width) {
                (Value::Kept(6), place::GSO_SEGS, 4) => Value::Segments,
                (Value::ClassOfPeer, 0, 2) if state.inside && state.class == Class::Unread => {
                    self.each_class(*state, insn.dst)?;
                    return Ok(true);
                }
                (Value::Pointer(map, at, dd), offset, width) => {
                    let bytes =
                        self.subject.fixed().filter(|_| self.subject.plan.fixed_table().map(MapRef::Own) == Some(map));
                    let bytes = bytes.ok_or(refused("a load from a map that holds no decision"))?;
                    let base = at.wrapping_add(i64::from(offset) as u64);
                    let little = self.subject.image.target.little_endian;
                    let zero = self.store.constant(0);
                    let element = |of: u64| element(bytes, base.wrapping_add(of), width, little);
                    Value::Of(self.store.load(base, width, dd.unwrap_or(zero), &element))
                }
                _ => return Err(refused("a load that no decision needs")),
            }
        };
        self.write(state, insn.dst, value)?;
        state.at += 1;
        Ok(false)
    }

    /// Goes on with each class of the plan in a register, and with all others together.
    fn each_class(&mut self, mut state: State, register: u8) -> Result<(), Refused> {
        let count = self.subject.plan.class_count;
        state.at += 1;
        for class in 0..count {
            let value = Value::Of(self.store.constant(u64::from(class)));
            let mut next = State { class: Class::Is(class), ..state };
            self.write(&mut next, register, value)?;
            self.open.push(next);
        }
        if count < 1 << 16 {
            let mut next = State { class: Class::From(count), ..state };
            self.write(&mut next, register, Value::Class(count))?;
            self.open.push(next);
        }
        Ok(())
    }

    /// A store: of the peer, of the leaf, or of one more packet.
    fn keep(&mut self, state: &mut State, insn: Insn) -> Result<(), Refused> {
        let at = state.at;
        let refused = |what| Refused { at, what };
        let value = if insn.class() == 3 {
            self.read(state, insn.src)?
        } else {
            Value::Of(self.store.constant(i64::from(insn.imm) as u64))
        };
        match (insn.opcode & 0xe0, insn.dst, insn.offset, insn.width()) {
            (0x60, 10, place::PEER, 4) if value == Value::Peer(0) => state.stored = true,
            (0x60, 10, place::LEAF, 4) => match value {
                Value::Of(dd) => state.cell.leaf = Some(dd),
                _ => return Err(refused("a leaf that is no function of the key")),
            },
            (0xc0, 0..=9, 0, 8) if insn.imm == 0 => {
                let place = self.read(state, insn.dst)?;
                self.count(state, place, value).ok_or(refused("a count of something else than the leaf"))?;
            }
            _ => return Err(refused("a store that no decision needs")),
        }
        state.at += 1;
        Ok(())
    }

    /// The counter of the leaf grows by the packets of the segment, once.
    fn count(&mut self, state: &mut State, place: Value, value: Value) -> Option<()> {
        let Value::Pointer(map, 0, Some(offset)) = place else { return None };
        let leaf = state.cell.leaf?;
        let (three, one) = (self.store.constant(3), self.store.constant(1));
        let expected = self.store.apply(Op::Alu(0x60), leaf, three);
        let right = match value {
            Value::Segments => state.segmented == Some(true),
            Value::Of(dd) => dd == one && state.segmented == Some(false),
            _ => false,
        };
        let own = self.subject.plan.counter_table.map(MapRef::Own) == Some(map);
        (own && right && !state.counted && offset == expected).then(|| state.counted = true)
    }

    /// Goes on both ways of a conditional jump, each with what is then known.
    fn branch(&mut self, state: State, insn: Insn) -> Result<(), Refused> {
        let refused = |what| Refused { at: state.at, what };
        let to = target(state.at, insn).ok_or(refused("a jump backwards"))?;
        let (taken, next) = (State { at: to, ..state }, State { at: state.at + 1, ..state });
        let short = insn.class() == 6;
        let (left, right) = (self.read(&state, insn.dst)?, self.operand(&state, insn)?);
        match (left, right) {
            (Value::Peer(0), Value::Of(limit)) if insn.opcode & 0xf0 == 0x30 && !short && !state.inside => {
                let capacity = self.store.constant(1 << self.subject.image.target.peers_log2);
                if limit != capacity || state.class != Class::Unread {
                    return Err(refused("the capacity of the class table is another one"));
                }
                self.open.push(State { class: Class::Beyond, ..taken });
                self.open.push(State { inside: true, ..next });
            }
            (Value::Class(low), Value::Of(limit)) if insn.opcode & 0xf0 == 0x30 && !short => {
                match self.store.as_leaf(limit) {
                    Some(Term::Value(limit)) if limit <= u64::from(low) => self.open.push(taken),
                    _ => return Err(refused("a class beyond the plan's is taken for one of them")),
                }
            }
            (Value::Segments, Value::Of(zero)) if insn.opcode & 0xf0 == 0x50 && zero == self.store.constant(0) => {
                self.open.push(State { segmented: Some(true), ..taken });
                self.open.push(State { segmented: Some(false), ..next });
            }
            (Value::Key(shift), Value::Of(right)) => {
                let holds = self.compared(shift, insn.opcode & 0xf0, right);
                self.fork(holds.ok_or(refused("a comparison of the key that no decision needs"))?, taken, next)?;
            }
            (Value::Of(left), Value::Of(right)) => {
                let holds = self.store.apply(Op::Compare(insn.opcode & 0xf0, short), left, right);
                self.fork(holds, taken, next)?;
            }
            _ => return Err(refused("a comparison that no decision needs")),
        }
        Ok(())
    }

    /// For which keys a comparison of the key, shifted right, with a number holds. `None` for a number that no key reaches.
    fn compared(&mut self, shift: u32, op: u8, with: Dd) -> Option<Dd> {
        let Some(Term::Value(number)) = self.store.as_leaf(with) else { return None };
        if number >= KEYS || shift >= 24 || op == 0x40 {
            return None;
        }
        // What holds below, at and above the number depends on nothing else.
        let [below, at, above] = [0, 1, 2].map(|it| compare(op, false, it, 1).map(u64::from));
        Some(self.store.stretch([number << shift, (number + 1) << shift], [below?, at?, above?]))
    }

    /// Goes on each way that some key takes.
    fn fork(&mut self, holds: Dd, taken: State, next: State) -> Result<(), Refused> {
        let refused = |what| Refused { at: next.at - 1, what };
        for (op, way) in [(Op::Where, taken), (Op::Unless, next)] {
            let care = self.store.apply(op, way.cell.care, holds);
            if self.store.find(care, &|term| term == Term::Poison).is_some() {
                return Err(refused("what lies outside a table decides a jump"));
            }
            if self.store.find(care, &|term| term != Term::Elsewhere).is_some() {
                self.open.push(State { cell: Cell { care, ..way.cell }, ..way });
            }
        }
        Ok(())
    }
}

/// Where a jump leads; `None` backwards.
fn target(at: usize, insn: Insn) -> Option<usize> {
    Some(at + 1 + usize::try_from(insn.offset).ok()?)
}

/// An element of a table, as the target's processor reads it.
pub(crate) fn element(bytes: &[u8], at: u64, width: usize, little_endian: bool) -> Term {
    let slice = usize::try_from(at).ok().and_then(|at| bytes.get(at..at.checked_add(width)?));
    let Some(slice) = slice else { return Term::Poison };
    let fold = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    Term::Value(if little_endian { slice.iter().rev().fold(0, fold) } else { slice.iter().fold(0, fold) })
}
