//! Arithmetic, as `vm::alu` has it.

use crate::translate::Translator;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use vm::instruction::{Instruction, SOURCE_REGISTER, class, op};

impl Translator<'_> {
    pub(crate) fn alu(&mut self, insn: &Instruction, width: Type) {
        let operation = insn.code & 0xf0;
        let a = self.narrow(insn.dst, width);
        let result = if operation == op::END {
            self.byte_order(insn, a, width)
        } else {
            let b = self.operand(insn, width);
            self.arithmetic(operation, a, b, insn.off, width)
        };
        self.set_wide(insn.dst, result);
    }

    fn arithmetic(&mut self, operation: u8, a: Value, b: Value, off: i16, width: Type) -> Value {
        let ins = self.builder.ins();
        match operation {
            op::ADD => ins.iadd(a, b),
            op::SUB => ins.isub(a, b),
            op::MUL => ins.imul(a, b),
            op::OR => ins.bor(a, b),
            op::AND => ins.band(a, b),
            // As in BPF, the amount is taken modulo the width.
            op::LSH => ins.ishl(a, b),
            op::RSH => ins.ushr(a, b),
            op::ARSH => ins.sshr(a, b),
            op::NEG => ins.ineg(a),
            op::XOR => ins.bxor(a, b),
            op::DIV | op::MOD => self.divide(operation == op::MOD, a, b, off == 1, width),
            _ => match off {
                8 => self.sign_extend(types::I8, b, width),
                16 => self.sign_extend(types::I16, b, width),
                32 => self.sign_extend(types::I32, b, width),
                _ => b,
            },
        }
    }

    /// Division by zero gives zero, and the rest of it the dividend; the one signed quotient that does not fit gives its dividend.
    fn divide(&mut self, rest: bool, a: Value, b: Value, signed: bool, width: Type) -> Value {
        let zero = self.builder.ins().iconst(width, 0);
        let one = self.builder.ins().iconst(width, 1);
        let by_zero = self.builder.ins().icmp(IntCC::Equal, b, zero);
        let mut odd = by_zero;
        if signed {
            let lowest = self.builder.ins().ishl_imm_u(one, i64::from(width.bits() - 1));
            let minus_one = self.builder.ins().isub(zero, one);
            let low = self.builder.ins().icmp(IntCC::Equal, a, lowest);
            let negated = self.builder.ins().icmp(IntCC::Equal, b, minus_one);
            let overflow = self.builder.ins().band(low, negated);
            odd = self.builder.ins().bor(by_zero, overflow);
        }
        let divisor = self.builder.ins().select(odd, one, b);
        let result = match (rest, signed) {
            (false, false) => self.builder.ins().udiv(a, divisor),
            (false, true) => self.builder.ins().sdiv(a, divisor),
            (true, false) => self.builder.ins().urem(a, divisor),
            (true, true) => self.builder.ins().srem(a, divisor),
        };
        let when_zero = if rest { a } else { zero };
        self.builder.ins().select(by_zero, when_zero, result)
    }

    fn byte_order(&mut self, insn: &Instruction, a: Value, width: Type) -> Value {
        let to_big = insn.code & SOURCE_REGISTER != 0;
        let reverse = insn.class() == class::ALU64 || to_big == self.little_endian;
        let bits = match insn.imm {
            16 => types::I16,
            32 => types::I32,
            _ => types::I64,
        };
        // A swap of 64 bits under the 32-bit class works on the whole register.
        let a = if bits.bits() > width.bits() { self.get(insn.dst) } else { a };
        let held = self.builder.func.dfg.value_type(a);
        let low = if bits == held { a } else { self.builder.ins().ireduce(bits, a) };
        if reverse { self.builder.ins().bswap(low) } else { low }
    }

    /// Writes a register, with zeros above a narrower value.
    fn set_wide(&mut self, register: u8, value: Value) {
        let wide = match self.builder.func.dfg.value_type(value) {
            types::I64 => value,
            _ => self.builder.ins().uextend(types::I64, value),
        };
        self.set(register, wide);
    }

    /// The low `width` of a register.
    pub(crate) fn narrow(&mut self, register: u8, width: Type) -> Value {
        let value = self.get(register);
        if width == types::I64 { value } else { self.builder.ins().ireduce(width, value) }
    }

    /// The second operand of an instruction.
    pub(crate) fn operand(&mut self, insn: &Instruction, width: Type) -> Value {
        if insn.code & SOURCE_REGISTER != 0 {
            return self.narrow(insn.src, width);
        }
        let value = if width == types::I64 { insn.imm } else { i64::from(insn.imm as u32) };
        self.builder.ins().iconst(width, value)
    }

    fn sign_extend(&mut self, from: Type, value: Value, width: Type) -> Value {
        let low = self.builder.ins().ireduce(from, value);
        self.builder.ins().sextend(width, low)
    }
}
