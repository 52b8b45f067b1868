//! Instructions, decoded once when a program is loaded.
//!
//! Source: Linux, `Documentation/bpf/standardization/instruction-set.rst` (RFC 9669), as of 6.18.

/// Instruction classes: the low three bits of the opcode.
pub mod class {
    /// Wide immediates.
    pub const LD: u8 = 0;
    /// Loads.
    pub const LDX: u8 = 1;
    /// Stores of an immediate.
    pub const ST: u8 = 2;
    /// Stores of a register, atomic operations.
    pub const STX: u8 = 3;
    /// 32-bit arithmetic.
    pub const ALU: u8 = 4;
    /// Jumps that compare 64 bits.
    pub const JMP: u8 = 5;
    /// Jumps that compare 32 bits.
    pub const JMP32: u8 = 6;
    /// 64-bit arithmetic.
    pub const ALU64: u8 = 7;
}

/// Arithmetic operations: the high four bits of the opcode.
pub mod op {
    #![allow(missing_docs, reason = "these are the names of the instruction set")]
    pub const ADD: u8 = 0x00;
    pub const SUB: u8 = 0x10;
    pub const MUL: u8 = 0x20;
    pub const DIV: u8 = 0x30;
    pub const OR: u8 = 0x40;
    pub const AND: u8 = 0x50;
    pub const LSH: u8 = 0x60;
    pub const RSH: u8 = 0x70;
    pub const NEG: u8 = 0x80;
    pub const MOD: u8 = 0x90;
    pub const XOR: u8 = 0xa0;
    pub const MOV: u8 = 0xb0;
    pub const ARSH: u8 = 0xc0;
    pub const END: u8 = 0xd0;
}

/// Jump operations: the high four bits of the opcode.
pub mod jump {
    #![allow(missing_docs, reason = "these are the names of the instruction set")]
    pub const JA: u8 = 0x00;
    pub const JEQ: u8 = 0x10;
    pub const JGT: u8 = 0x20;
    pub const JGE: u8 = 0x30;
    pub const JSET: u8 = 0x40;
    pub const JNE: u8 = 0x50;
    pub const JSGT: u8 = 0x60;
    pub const JSGE: u8 = 0x70;
    pub const CALL: u8 = 0x80;
    pub const EXIT: u8 = 0x90;
    pub const JLT: u8 = 0xa0;
    pub const JLE: u8 = 0xb0;
    pub const JSLT: u8 = 0xc0;
    pub const JSLE: u8 = 0xd0;
}

/// Memory modes: the high three bits of the opcode.
pub mod mode {
    /// Plain.
    pub const MEM: u8 = 0x60;
    /// With sign extension.
    pub const MEMSX: u8 = 0x80;
    /// Atomic.
    pub const ATOMIC: u8 = 0xc0;
}

/// Atomic operations: the immediate.
pub mod atomic {
    #![allow(missing_docs, reason = "these are the names of the instruction set")]
    pub const ADD: i64 = 0x00;
    pub const OR: i64 = 0x40;
    pub const AND: i64 = 0x50;
    pub const XOR: i64 = 0xa0;
    pub const FETCH: i64 = 0x01;
    pub const XCHG: i64 = 0xe1;
    pub const CMPXCHG: i64 = 0xf1;
    pub const LOAD_ACQUIRE: i64 = 0x100;
    pub const STORE_RELEASE: i64 = 0x110;
}

/// The bit that says that the second operand is a register.
pub const SOURCE_REGISTER: u8 = 0x08;
/// `ld_imm64`, two words long.
pub const WIDE: u8 = 0x18;

/// One instruction. The second word of a wide load is kept as one with opcode 0, which nothing may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The opcode.
    pub code: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register.
    pub src: u8,
    /// Offset of a memory access or jump.
    pub off: i16,
    /// Immediate, sign-extended; all 64 bits of a wide load.
    pub imm: i64,
}

impl Instruction {
    /// Decodes one word.
    pub fn decode(word: u64, little_endian: bool) -> Instruction {
        let bytes = if little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        let [code, registers, a, b, imm @ ..] = bytes;
        let (low, high) = (registers & 15, registers >> 4);
        // The two registers are bit fields of one byte, which the C compiler lays out by byte order.
        let (dst, src) = if little_endian { (low, high) } else { (high, low) };
        let (off, imm) = if little_endian {
            (i16::from_le_bytes([a, b]), i32::from_le_bytes(imm))
        } else {
            (i16::from_be_bytes([a, b]), i32::from_be_bytes(imm))
        };
        Instruction { code, dst, src, off, imm: i64::from(imm) }
    }

    /// Encodes into one word; the inverse of [`Instruction::decode`] for immediates of 32 bits.
    pub fn encode(&self, little_endian: bool) -> u64 {
        let (dst, src) = (self.dst & 15, self.src & 15);
        let imm = self.imm as i32;
        if little_endian {
            let ([a, b], [c, d, e, f]) = (self.off.to_le_bytes(), imm.to_le_bytes());
            u64::from_le_bytes([self.code, src << 4 | dst, a, b, c, d, e, f])
        } else {
            let ([a, b], [c, d, e, f]) = (self.off.to_be_bytes(), imm.to_be_bytes());
            u64::from_be_bytes([self.code, dst << 4 | src, a, b, c, d, e, f])
        }
    }

    /// Its class.
    #[inline]
    pub fn class(&self) -> u8 {
        self.code & 7
    }

    /// Bytes of a memory access.
    #[inline]
    pub fn size(&self) -> usize {
        match self.code & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        }
    }

    /// Whether the instruction set has it, with all its unused fields zero. Does not look at registers and jump targets.
    pub fn is_known(&self) -> bool {
        match self.class() {
            class::ALU | class::ALU64 => self.is_known_alu(),
            class::JMP | class::JMP32 => self.is_known_jump(),
            class::LD => self.code == WIDE && self.off == 0,
            class::LDX => match self.code & 0xe0 {
                mode::MEM => self.imm == 0,
                mode::MEMSX => self.imm == 0 && self.size() < 8,
                _ => false,
            },
            class::ST => self.code & 0xe0 == mode::MEM && self.src == 0,
            _ => match self.code & 0xe0 {
                mode::MEM => self.imm == 0,
                mode::ATOMIC => self.is_known_atomic(),
                _ => false,
            },
        }
    }

    fn is_known_alu(&self) -> bool {
        let wide = self.class() == class::ALU64;
        let register = self.code & SOURCE_REGISTER != 0;
        let unused = if register { self.imm == 0 } else { self.src == 0 };
        match self.code & 0xf0 {
            op::END => matches!(self.imm, 16 | 32 | 64) && self.off == 0 && self.src == 0 && !(wide && register),
            op::NEG => !register && self.imm == 0 && self.src == 0 && self.off == 0,
            op::DIV | op::MOD => unused && matches!(self.off, 0 | 1),
            op::MOV => unused && (self.off == 0 || register && (matches!(self.off, 8 | 16) || wide && self.off == 32)),
            op::ADD..=op::ARSH => unused && self.off == 0,
            _ => false,
        }
    }

    fn is_known_jump(&self) -> bool {
        let narrow = self.class() == class::JMP32;
        let register = self.code & SOURCE_REGISTER != 0;
        match self.code & 0xf0 {
            jump::JA if narrow => !register && self.off == 0 && self.dst == 0 && self.src == 0,
            jump::JA => !register && self.imm == 0 && self.dst == 0 && self.src == 0,
            jump::CALL => !narrow && !register && self.src == 0 && self.dst == 0 && self.off == 0,
            jump::EXIT => !narrow && !register && self.imm == 0 && self.src == 0 && self.dst == 0 && self.off == 0,
            jump::JEQ..=jump::JSLE => {
                if register {
                    self.imm == 0
                } else {
                    self.src == 0
                }
            }
            _ => false,
        }
    }

    fn is_known_atomic(&self) -> bool {
        match self.imm {
            atomic::LOAD_ACQUIRE | atomic::STORE_RELEASE => true,
            atomic::XCHG | atomic::CMPXCHG => self.size() >= 4,
            other => {
                self.size() >= 4
                    && matches!(other & !atomic::FETCH, atomic::ADD | atomic::OR | atomic::AND | atomic::XOR)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decode_in_both_byte_orders() {
        let insn = Instruction { code: 0x7b, dst: 10, src: 3, off: -8, imm: 0 };
        assert_eq!(insn.encode(true).to_le_bytes(), [0x7b, 0x3a, 0xf8, 0xff, 0, 0, 0, 0]);
        assert_eq!(insn.encode(false).to_be_bytes(), [0x7b, 0xa3, 0xff, 0xf8, 0, 0, 0, 0]);
        for little_endian in [true, false] {
            assert_eq!(Instruction::decode(insn.encode(little_endian), little_endian), insn);
        }
    }
}
