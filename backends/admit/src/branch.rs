//! Conditional jumps.

use crate::compare::{Compare, Width};
use crate::insn::{Class, Insn};
use crate::run::{Path, Run};
use crate::scalar::Scalar;
use crate::state::{Places, State};
use crate::value::{Kind, Reach, Value};
use image::MapKind;

/// The most registers and slots that learn together.
const LINKED: u32 = 6;
/// Bytes of a packet that a comparison with its end may teach.
const PACKET: u64 = 0xffff;
/// The most paths that may wait.
const WAITING: usize = 8192;

impl Run<'_> {
    /// Follows one way of a conditional jump, and lets the other one wait if it is possible.
    pub fn branch(&mut self, path: &mut Path, insn: Insn, class: Class) -> Result<usize, String> {
        let fall = path.at + 1;
        let target = insn.target(path.at).ok_or("jump out of the program")?;
        let left = self.read(path, insn.dst)?;
        let right = match insn.by_register() {
            true => self.read(path, insn.src)?,
            false => Value::constant(i64::from(insn.imm) as u64),
        };
        let frames = [left.kind == Kind::Frame, insn.by_register() && right.kind == Kind::Frame];
        if frames != [false; 2] {
            path.note(|entry| entry.frames = frames);
        }
        let width = if class == Class::Branch32 { Width::Low32 } else { Width::All };
        let compare = Compare::of(insn.operation());
        if let Some(taken) = self.decided(compare, &left, &right, width) {
            self.need_exactly(path, insn.dst);
            if insn.by_register() {
                self.need_exactly(path, insn.src);
            }
            return Ok(if taken { target } else { fall });
        }
        let mut linked = Places::default();
        for (register, value) in [(insn.src, &right), (insn.dst, &left)] {
            let is_register = register == insn.dst && std::ptr::eq(value, &left) || insn.by_register();
            if is_register && value.is_number() && value.id != 0 {
                self.collect(&mut path.state, value.id, &mut linked);
            }
        }
        if linked.count() > 1 {
            path.note(|entry| entry.linked = linked);
        }
        if self.waiting.len() >= WAITING {
            return Err(format!("branch with {WAITING} others waiting"));
        }
        let mut other = path.clone();
        self.learn(&mut path.state, insn, compare.negated(), width, linked);
        self.learn(&mut other.state, insn, compare, width, linked);
        let is_null = !insn.by_register() && insn.imm == 0 && width == Width::All;
        match (left.kind, compare) {
            (Kind::ValueOrNull(map), Compare::Eq | Compare::Ne) if is_null => {
                let (null, present) = match compare {
                    Compare::Eq => (&mut other.state, &mut path.state),
                    _ => (&mut path.state, &mut other.state),
                };
                // A lock is given back by the number of its look-up, so that stays.
                let number = if self.tables.tables[map].spec.kind == MapKind::Locks { left.id } else { 0 };
                settle_null(null, left.id, None);
                settle_null(present, left.id, Some(number));
            }
            _ if insn.by_register() && width == Width::All => {
                self.packet_end(&mut path.state, &mut other.state, insn, compare);
            }
            _ => {}
        }
        other.at = target;
        if let Some(parent) = other.parent {
            self.saved[parent].open += 1;
        }
        self.waiting.push(other);
        Ok(fall)
    }

    /// Whether the outcome is known.
    fn decided(&self, compare: Compare, left: &Value, right: &Value, width: Width) -> Option<bool> {
        if left.is_packet() && right.is_packet() {
            return match (left.kind, right.kind, width) {
                (_, Kind::PacketEnd, Width::All) => self.end_decided(left, compare),
                (Kind::PacketEnd, _, Width::All) => self.end_decided(right, compare.flipped()),
                _ => None,
            };
        }
        match (left.is_number(), right.is_number()) {
            (true, true) => compare.decided(&left.number, &right.number, width, self.rules.deduction),
            (false, true) if matches!(left.kind, Kind::Value(_)) && right.as_constant() == Some(0) => match compare {
                Compare::Eq => Some(false),
                Compare::Ne => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    /// A packet pointer that was compared with the end before.
    fn end_decided(&self, packet: &Value, compare: Compare) -> Option<bool> {
        match (packet.reach, compare) {
            _ if !self.rules.packet_ends => None,
            (Reach::Beyond, Compare::Le | Compare::Gt) => Some(compare == Compare::Gt),
            (Reach::Beyond | Reach::AtEnd, Compare::Lt | Compare::Ge) => Some(compare == Compare::Ge),
            _ => None,
        }
    }

    /// Copies of one value, in registers first; what is too much is no copy any longer.
    fn collect(&self, state: &mut State, id: u32, into: &mut Places) {
        let is_copy = |value: &Value| value.is_number() && value.id == id;
        for (at, value) in state.regs.iter_mut().enumerate().take(10).filter(|(_, value)| is_copy(value)) {
            match into.count() < LINKED || into.regs & 1 << at != 0 {
                true => into.regs |= 1 << at,
                false => value.id = 0,
            }
        }
        for (at, slot) in state.frame.iter_mut().enumerate() {
            if slot.is_spilled() && is_copy(&slot.value) {
                match into.count() < LINKED || into.slots & 1 << at != 0 {
                    true => into.slots |= 1 << at,
                    false => slot.value.id = 0,
                }
            }
        }
    }

    /// What both sides of a comparison of numbers are where it holds, and their copies with them.
    fn learn(&self, state: &mut State, insn: Insn, compare: Compare, width: Width, linked: Places) {
        let deduction = self.rules.deduction;
        let left = state.regs[insn.dst];
        let right = if insn.by_register() { state.regs[insn.src] } else { Value::constant(i64::from(insn.imm) as u64) };
        if !left.is_number() || !right.is_number() {
            return;
        }
        let (mut a, mut b) = (left.number, right.number);
        if insn.by_register() && insn.dst == insn.src {
            return;
        }
        compare.learn(&mut a, &mut b, width, deduction);
        state.regs[insn.dst].number = a;
        if insn.by_register() {
            state.regs[insn.src].number = b;
            self.spread(state, insn.src, linked);
        }
        self.spread(state, insn.dst, linked);
    }

    /// Tells copies what their original learnt.
    fn spread(&self, state: &mut State, from: usize, linked: Places) {
        let known = state.regs[from];
        if known.id == 0 {
            return;
        }
        for at in (0..10).filter(|at| *at != from && linked.regs & 1 << at != 0) {
            self.tell(&mut state.regs[at], &known);
        }
        for (at, slot) in state.frame.iter_mut().enumerate() {
            if linked.slots & 1 << at != 0 {
                self.tell(&mut slot.value, &known);
            }
        }
    }

    fn tell(&self, copy: &mut Value, known: &Value) {
        if !copy.is_number() || copy.id != known.id {
            return;
        }
        let (own, theirs) = (shift(copy), shift(known));
        if own == theirs {
            let precise = copy.precise;
            *copy = *known;
            copy.precise = precise;
            return;
        }
        let distance = Scalar::of((own - theirs) as u64);
        copy.number = known.number.apply(crate::insn::op::ADD, &distance, self.rules.deduction);
    }

    /// What a comparison of a packet pointer with the end teaches: `falls` is the state where it does not hold.
    fn packet_end(&self, falls: &mut State, jumps: &mut State, insn: Insn, compare: Compare) {
        let kinds = (falls.regs[insn.dst].kind, falls.regs[insn.src].kind);
        // As a comparison of the packet pointer on the left.
        let (register, compare) = match kinds {
            (Kind::Packet, Kind::PacketEnd) => (insn.dst, compare),
            (Kind::PacketEnd, Kind::Packet) => (insn.src, compare.flipped()),
            _ => return,
        };
        // The state in which the pointer is at most at the end, or before it; and what it is in the other.
        let (inside, outside, open, beyond) = match compare {
            Compare::Gt => (falls, jumps, false, Reach::Beyond),
            Compare::Le => (jumps, falls, false, Reach::Beyond),
            Compare::Ge => (falls, jumps, true, Reach::AtEnd),
            Compare::Lt => (jumps, falls, true, Reach::AtEnd),
            _ => return,
        };
        let pointer = inside.regs[register];
        let greatest = pointer.number.umax.saturating_add(pointer.offset.max(0) as u64);
        let useful = pointer.offset > 0 || pointer.offset == 0 && !open;
        if useful && pointer.number.umax <= PACKET && greatest <= PACKET {
            let reach = Reach::Bytes(pointer.offset + i64::from(open));
            for value in inside.values_mut().filter(|it| it.kind == Kind::Packet && it.id == pointer.id) {
                value.reach = value.reach.max(reach);
            }
        }
        if self.rules.packet_ends {
            outside.regs[register].reach = beyond;
        }
    }
}

/// How far a number is from what it was copied from.
fn shift(value: &Value) -> i64 {
    if value.shifted { value.offset } else { 0 }
}

/// All copies of a pointer that may be null become what they are: null, or present with this number.
fn settle_null(state: &mut State, id: u32, present: Option<u32>) {
    for value in state.values_mut().filter(|it| matches!(it.kind, Kind::ValueOrNull(_)) && it.id == id) {
        value.id = present.unwrap_or(0);
        value.kind = match (present, value.kind) {
            (Some(_), Kind::ValueOrNull(map)) => Kind::Value(map),
            _ => Kind::Number,
        };
    }
}
