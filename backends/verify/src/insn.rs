//! Instructions, read from their bytes.
//!
//! Written from RFC 9669 alone: nothing here is shared with the code that writes programs.

/// The fields of one instruction word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// Class, operation and source.
    pub opcode: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register, or what kind of constant a wide load has.
    pub src: u8,
    /// Jump distance in words, or displacement in bytes.
    pub offset: i16,
    /// Immediate.
    pub imm: i32,
}

/// `ld_imm64`, two words.
pub const WIDE: u8 = 0x18;
/// `call`.
pub const CALL: u8 = 0x85;
/// `exit`.
pub const EXIT: u8 = 0x95;
/// `ja`.
pub const JUMP: u8 = 0x05;

impl Insn {
    /// Reads a word in the byte order of its target.
    pub fn read(word: u64, little_endian: bool) -> Insn {
        let bytes = if little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        let half = [bytes[2], bytes[3]];
        let full = [bytes[4], bytes[5], bytes[6], bytes[7]];
        let (low, high) = (bytes[1] & 15, bytes[1] >> 4);
        if little_endian {
            let (offset, imm) = (i16::from_le_bytes(half), i32::from_le_bytes(full));
            Insn { opcode: bytes[0], dst: low, src: high, offset, imm }
        } else {
            let (offset, imm) = (i16::from_be_bytes(half), i32::from_be_bytes(full));
            Insn { opcode: bytes[0], dst: high, src: low, offset, imm }
        }
    }

    /// The class: the three lowest bits of the opcode.
    pub fn class(self) -> u8 {
        self.opcode & 7
    }

    /// Whether it may go elsewhere than to the next one, `call` and `exit` aside.
    pub fn jumps(self) -> bool {
        matches!(self.class(), 5 | 6) && self.opcode != CALL && self.opcode != EXIT
    }

    /// Whether the second operand is a register.
    pub fn by_register(self) -> bool {
        self.opcode & 8 != 0
    }

    /// Bytes of a memory access.
    pub fn width(self) -> usize {
        match self.opcode & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        }
    }

    /// Whether the fields that mean nothing in it are zero, as a kernel asks. Source: RFC 9669, section 4.
    pub fn is_plain(self) -> bool {
        let operand = if self.by_register() { self.imm == 0 } else { self.src == 0 };
        match (self.class(), self.opcode) {
            (_, JUMP) => self.dst == 0 && self.src == 0 && self.imm == 0,
            // A swap of bytes has its width as immediate, whatever the bit says that would mean a register.
            (4, 0xd4 | 0xdc) => self.src == 0 && self.offset == 0 && matches!(self.imm, 16 | 32 | 64),
            // A shift goes no further than the register is wide.
            (7, 0x67 | 0x77 | 0xc7) => operand && self.offset == 0 && (0..64).contains(&self.imm),
            (4 | 7, _) => operand && self.offset == 0,
            (5, CALL | EXIT) => operand,
            // A comparison. What else begins so jumps farther or by counting, and no template does.
            (5 | 6, opcode) => operand && matches!(opcode & 0xf0, 0x10..=0x70 | 0xa0..=0xd0),
            (1, _) => self.imm == 0,
            (2, _) => self.src == 0,
            // The immediate of an atomic store says which operation it is.
            (3, opcode) => opcode & 0xe0 == 0xc0 || self.imm == 0,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_jumps_otherwise_than_by_a_comparison_is_not_plain() {
        let of = |opcode: u8, imm: i32| Insn { opcode, dst: 0, src: 0, offset: 0, imm };
        // A jump by the immediate (kernel 6.6), one that counts (6.9), calls and an end of the short class, and what is nothing yet.
        for opcode in [0x06, 0xe5, 0x86, 0x8e, 0x96, 0xe6, 0xf5, 0xf6] {
            assert!(!of(opcode, 3).is_plain(), "{opcode:#x}");
        }
        for opcode in [0x15, 0x16, 0x55, 0x75, 0xa5, 0xd6, CALL, EXIT] {
            assert!(of(opcode, 3).is_plain(), "{opcode:#x}");
        }
    }
}
