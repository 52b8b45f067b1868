//! One instruction: what it asks of a state, and what it leaves.

use crate::bits::Bits;
use crate::frame::Source;
use crate::insn::{Class, Insn, op};
use crate::memory::{FARTHEST, named};
use crate::run::{Path, Run};
use crate::scalar::{Deduction, Scalar};
use crate::tables::Wide;
use crate::value::{Kind, Reach, Value};

/// Where a path goes on.
pub(crate) enum Next {
    To(usize),
    End,
}

impl Run<'_> {
    /// Takes the instruction that comes next.
    ///
    /// Errors: what the kernel refuses, or what is not known here.
    pub fn step(&mut self, path: &mut Path) -> Result<Next, String> {
        let (insn, class) = self.form.at(path.at).ok_or("no instruction")?;
        let after = path.at + if class == Class::Wide { 2 } else { 1 };
        let displacement = i64::from(insn.offset);
        match class {
            Class::Wide => path.state.regs[insn.dst] = self.wide(path.at, insn),
            Class::Load => {
                let base = self.base(path, insn.src)?;
                let value = self.load(path, &base, displacement, insn.width())?;
                path.state.regs[insn.dst] = self.narrowed(value, insn.width());
            }
            Class::Store | Class::StoreImm => {
                let base = self.base(path, insn.dst)?;
                let source = match class {
                    Class::Store => {
                        self.read(path, insn.src)?;
                        Source::Register(insn.src)
                    }
                    _ => Source::Immediate(insn.imm),
                };
                self.store(path, &base, displacement, insn.width(), source)?;
            }
            Class::Atomic => self.atomic(path, insn)?,
            Class::Swap => {
                let value = self.read(path, insn.dst)?;
                path.state.regs[insn.dst] = Value::number(self.swapped(&value, insn));
            }
            Class::Alu32 | Class::Alu64 => self.arithmetic(path, insn, class)?,
            Class::Jump => return insn.target(path.at).map(Next::To).ok_or_else(|| "jump out of the program".into()),
            Class::Branch32 | Class::Branch64 => return self.branch(path, insn, class).map(Next::To),
            Class::Call => self.call(path, insn.imm)?,
            Class::Exit => {
                self.read(path, 0)?;
                if path.state.lock != 0 {
                    return Err("exit while a lock is held".into());
                }
                return Ok(Next::End);
            }
        }
        Ok(Next::To(after))
    }

    /// A register that was written.
    pub fn read(&self, path: &Path, register: usize) -> Result<Value, String> {
        let value = path.state.regs[register];
        match value.kind {
            Kind::Unset => Err(format!("R{register}, which nothing wrote")),
            _ => Ok(value),
        }
    }

    /// The address that an instruction goes through. One that has gone through the context goes through nothing else, and the reverse:
    /// a kernel rewrites it for the context.
    fn base(&mut self, path: &Path, register: usize) -> Result<Value, String> {
        let base = self.read(path, register)?;
        let is_context = base.kind == Kind::Context;
        match self.through_context[path.at].replace(is_context) {
            Some(before) if before != is_context => {
                Err("access through the context on one path, and not on another".into())
            }
            _ => Ok(base),
        }
    }

    fn wide(&self, at: usize, insn: Insn) -> Value {
        match self.tables.reference(at) {
            None => {
                let high = self.form.insns.get(at + 1).map_or(0, |(second, _)| second.imm);
                Value::constant(u64::from(insn.imm as u32) | u64::from(high as u32) << 32)
            }
            Some(Wide::Map(map)) => Value::pointer(Kind::Map(map)),
            Some(Wide::Value(map, offset)) => Value { offset: offset.into(), ..Value::pointer(Kind::Value(map)) },
        }
    }

    fn arithmetic(&mut self, path: &mut Path, insn: Insn, class: Class) -> Result<(), String> {
        let operand = match insn.by_register() {
            true => self.read(path, insn.src)?,
            false => Value::constant(i64::from(insn.imm) as u64),
        };
        if insn.operation() == op::MOV {
            let moved = self.moved(path, insn, class)?;
            path.state.regs[insn.dst] = moved;
            return Ok(());
        }
        let left = self.read(path, insn.dst)?;
        let is_sum = matches!(insn.operation(), op::ADD | op::SUB) && class == Class::Alu64;
        let result = match (left.is_number(), operand.is_number()) {
            (true, true) if class == Class::Alu32 => Value::number(Scalar::ANY.cast(4, self.rules.deduction)),
            (true, true) => self.calculated(&left, insn, &operand),
            (false, false) if insn.operation() == op::SUB => Value::ANY,
            (false, true) if is_sum => {
                if insn.by_register() {
                    self.need_exactly(path, insn.src);
                }
                self.moved_pointer(&left, insn.operation(), &operand.number)?
            }
            (true, false) if is_sum && insn.operation() == op::ADD => {
                self.need_exactly(path, insn.dst);
                self.moved_pointer(&operand, op::ADD, &left.number)?
            }
            _ => {
                return Err(format!(
                    "arithmetic {:#x} with {}",
                    insn.opcode,
                    named(if left.is_number() { operand.kind } else { left.kind })
                ));
            }
        };
        path.state.regs[insn.dst] = result;
        Ok(())
    }

    fn moved(&mut self, path: &mut Path, insn: Insn, class: Class) -> Result<Value, String> {
        let deduction = self.rules.deduction;
        match (insn.by_register(), class) {
            (false, Class::Alu32) => Ok(Value::constant(insn.imm as u32 as u64)),
            (false, _) => Ok(Value::constant(i64::from(insn.imm) as u64)),
            (true, Class::Alu32) => {
                let source = path.state.regs[insn.src];
                if !source.is_number() {
                    return Err(format!("half of {}", named(source.kind)));
                }
                let fits = source.number.width() <= 32 && deduction == Deduction::Wide;
                if fits {
                    self.number_of_copy(&mut path.state.regs[insn.src]);
                }
                let mut copy = path.state.regs[insn.src];
                if !fits {
                    (copy.id, copy.shifted, copy.offset) = (0, false, 0);
                }
                copy.number = copy.number.cast(4, deduction);
                Ok(copy)
            }
            (true, _) => {
                self.number_of_copy(&mut path.state.regs[insn.src]);
                Ok(path.state.regs[insn.src])
            }
        }
    }

    /// The low bytes in network order, or from it: on one byte order of machines a swap, on the other none. Kernels before 6.18 know not
    /// even how many bytes it leaves.
    fn swapped(&self, value: &Value, insn: Insn) -> Scalar {
        let bytes = i64::from(insn.imm) / 8;
        let to_big = insn.opcode & 8 != 0;
        let bits = match value.is_number() && self.rules.followed_swaps {
            true if to_big == self.little_endian => value.number.bits.swapped(bytes),
            true => value.number.bits.cast(bytes),
            false => return Scalar::ANY,
        };
        let mut out = Scalar { bits, ..Scalar::ANY };
        out.settle(self.rules.deduction);
        out
    }

    /// The result for two numbers. A copy that a constant is added to stays a copy, at a distance.
    fn calculated(&self, left: &Value, insn: Insn, right: &Value) -> Value {
        let number = match insn.operation() {
            // Kernels before 6.17 conclude nothing from a change of sign.
            op::NEG => Scalar::ANY,
            op::MUL | op::OR | op::XOR if !self.rules.open_operands && !right.number.is_settled() => Scalar::ANY,
            operation => left.number.apply(operation, &right.number, self.rules.deduction),
        };
        let mut out = Value { number, ..Value::ANY };
        let distance = right.number.constant().filter(|by| *by <= i32::MAX as u64);
        let is_copy = left.id != 0 && !left.shifted && self.rules.shifted_copies;
        if let (op::ADD, Some(by), true) = (insn.operation(), distance, is_copy) {
            (out.id, out.shifted, out.offset) = (left.id, true, by as i64);
        }
        out
    }

    /// An address and a number.
    fn moved_pointer(&mut self, pointer: &Value, operation: u8, by: &Scalar) -> Result<Value, String> {
        match pointer.kind {
            Kind::Context | Kind::Frame | Kind::Packet | Kind::Value(_) => {}
            other => return Err(format!("arithmetic with {}", named(other))),
        }
        if by.is_empty() || by.constant().is_some() && !by.is_settled() {
            // Bounds that contradict each other are those of a path that no packet takes.
            return Ok(Value::ANY);
        }
        let far = |it: &Scalar| it.smin <= -FARTHEST || it.smin >= FARTHEST;
        if far(by) || far(&pointer.number) {
            return Err(format!("arithmetic with {} and a number from {}", named(pointer.kind), by.smin));
        }
        let mut out = *pointer;
        if let Some(constant) = by.constant() {
            let constant = constant as i64;
            out.offset = if operation == op::ADD { pointer.offset + constant } else { pointer.offset - constant };
        } else {
            if pointer.kind == Kind::Frame && operation == op::SUB {
                return Err("subtraction from an address in the frame".into());
            }
            out.number = pointer.number.apply(operation, by, self.rules.deduction);
            // No kernel keeps bounds of 32 bits for addresses.
            out.number = Scalar { s32min: i32::MIN, s32max: i32::MAX, u32min: 0, u32max: u32::MAX, ..out.number };
            out.number.settle(self.rules.deduction);
            if pointer.kind == Kind::Packet {
                out.id = self.fresh_id();
                if operation == op::ADD || by.smin < 0 {
                    out.reach = Reach::Bytes(0);
                }
            }
        }
        if pointer.kind == Kind::Frame && operation == op::SUB {
            return Err("subtraction from an address in the frame".into());
        }
        if far(&out.number) || out.offset.abs() >= FARTHEST {
            return Err(format!("{} far outside", named(pointer.kind)));
        }
        Ok(out)
    }

    fn atomic(&mut self, path: &mut Path, insn: Insn) -> Result<(), String> {
        let (base, stored) = (self.base(path, insn.dst)?, self.read(path, insn.src)?);
        let Kind::Value(map) = base.kind else {
            return Err(format!("atomic operation through {}", named(base.kind)));
        };
        if insn.imm != 0 && !self.rules.fetches {
            return Err(format!("atomic operation {:#x}, which kernels know from 5.12 on", insn.imm));
        }
        if insn.imm == 0xf1 && !self.read(path, 0)?.is_number() || !stored.is_number() {
            return Err("atomic operation with an address".into());
        }
        if insn.opcode & 0x18 == 0 && insn.imm != 0 {
            return Err("atomic operation of four bytes that gives the old value back".into());
        }
        let width = insn.width();
        let displacement = i64::from(insn.offset);
        let place = base.number.bits.add(Bits::of((base.offset + displacement) as u64));
        if !place.is_aligned(width) {
            return Err(format!("atomic operation of {width} bytes at no multiple of them"));
        }
        self.in_value(map, &base, displacement, width, crate::memory::Access::Store)?;
        if let Some(register) = insn.fetches() {
            path.state.regs[register] = self.narrowed(Value::ANY, width);
        }
        Ok(())
    }
}
