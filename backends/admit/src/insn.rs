//! Instructions, read from their bytes.
//!
//! Written from RFC 9669 alone: nothing here is shared with the code that writes programs.

/// The fields of one instruction word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Insn {
    /// Class, operation and source.
    pub opcode: u8,
    /// Destination register.
    pub dst: usize,
    /// Source register, or what kind of constant a wide load has.
    pub src: usize,
    /// Jump distance in words, or displacement in bytes.
    pub offset: i16,
    /// Immediate.
    pub imm: i32,
}

/// `ld_imm64`, two words.
pub(crate) const WIDE: u8 = 0x18;
/// `call`.
pub(crate) const CALL: u8 = 0x85;
/// `exit`.
pub(crate) const EXIT: u8 = 0x95;
/// `ja`.
pub(crate) const JUMP: u8 = 0x05;
/// The register that points at the end of the frame.
pub(crate) const FRAME: usize = 10;

/// What an instruction does, by its opcode alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A wide constant or the address of a map.
    Wide,
    /// A load of memory into a register.
    Load,
    /// A store of an immediate.
    StoreImm,
    /// A store of a register.
    Store,
    /// An atomic operation.
    Atomic,
    /// Arithmetic of 32 bits.
    Alu32,
    /// Arithmetic of 64 bits.
    Alu64,
    /// A swap of bytes.
    Swap,
    /// A jump that is always taken.
    Jump,
    /// A jump that a comparison of 64 bits decides.
    Branch64,
    /// A jump that a comparison of 32 bits decides.
    Branch32,
    /// A call of a kernel function.
    Call,
    /// The end.
    Exit,
}

/// Operations of arithmetic, by the high half of their opcode.
pub(crate) mod op {
    pub const ADD: u8 = 0x00;
    pub const SUB: u8 = 0x10;
    pub const MUL: u8 = 0x20;
    pub const DIV: u8 = 0x30;
    pub const OR: u8 = 0x40;
    pub const AND: u8 = 0x50;
    pub const SHL: u8 = 0x60;
    pub const SHR: u8 = 0x70;
    pub const NEG: u8 = 0x80;
    pub const MOD: u8 = 0x90;
    pub const XOR: u8 = 0xa0;
    pub const MOV: u8 = 0xb0;
    pub const SAR: u8 = 0xc0;
}

impl Insn {
    /// Reads a word in the byte order of its target.
    pub fn read(word: u64, little_endian: bool) -> Insn {
        let bytes = if little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        let half = [bytes[2], bytes[3]];
        let full = [bytes[4], bytes[5], bytes[6], bytes[7]];
        let (low, high) = (usize::from(bytes[1] & 15), usize::from(bytes[1] >> 4));
        if little_endian {
            let (offset, imm) = (i16::from_le_bytes(half), i32::from_le_bytes(full));
            Insn { opcode: bytes[0], dst: low, src: high, offset, imm }
        } else {
            let (offset, imm) = (i16::from_be_bytes(half), i32::from_be_bytes(full));
            Insn { opcode: bytes[0], dst: high, src: low, offset, imm }
        }
    }

    /// The class; `None` for an opcode that no program of ours has.
    pub fn class(self) -> Option<Class> {
        Some(match self.opcode {
            WIDE => Class::Wide,
            CALL => Class::Call,
            EXIT => Class::Exit,
            JUMP => Class::Jump,
            0x61 | 0x69 | 0x71 | 0x79 => Class::Load,
            0x62 | 0x6a | 0x72 | 0x7a => Class::StoreImm,
            0x63 | 0x6b | 0x73 | 0x7b => Class::Store,
            0xc3 | 0xdb => Class::Atomic,
            0xd4 | 0xdc => Class::Swap,
            other => match (other & 7, other & 0xf0) {
                // A change of sign has no second operand.
                (4 | 7, op::NEG) if other & 8 != 0 => return None,
                (4, 0x00..=op::SAR) => Class::Alu32,
                (7, 0x00..=op::SAR) => Class::Alu64,
                (5, 0x10..=0x70 | 0xa0..=0xd0) => Class::Branch64,
                (6, 0x10..=0x70 | 0xa0..=0xd0) => Class::Branch32,
                _ => return None,
            },
        })
    }

    /// The operation: the four highest bits of the opcode.
    pub fn operation(self) -> u8 {
        self.opcode & 0xf0
    }

    /// Whether the second operand is a register.
    pub fn by_register(self) -> bool {
        self.opcode & 8 != 0
    }

    /// Bytes of a memory access.
    pub fn width(self) -> i64 {
        match self.opcode & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        }
    }

    /// Whether an atomic operation gives the old value back, and in which register.
    pub fn fetches(self) -> Option<usize> {
        match self.imm {
            0xf1 => Some(0),
            imm if imm & 1 != 0 => Some(self.src),
            _ => None,
        }
    }

    /// Where a jump leads, from its own position.
    pub fn target(self, at: usize) -> Option<usize> {
        usize::try_from(at as i64 + 1 + i64::from(self.offset)).ok()
    }

    /// Whether the fields that mean nothing in it are zero, as every kernel asks. Source: RFC 9669, section 4.
    pub fn is_plain(self, class: Class) -> bool {
        let operand = if self.by_register() { self.imm == 0 } else { self.src == 0 };
        match class {
            Class::Wide | Class::Atomic => true,
            Class::Jump => self.dst == 0 && self.src == 0 && self.imm == 0,
            Class::Exit => self.dst == 0 && self.src == 0 && self.imm == 0 && self.offset == 0,
            // A source other than 0 is a call within the program, or of a function of a kernel module.
            Class::Call => self.dst == 0 && self.src == 0 && self.offset == 0,
            Class::Alu32 | Class::Alu64 => {
                operand && self.offset == 0 && (self.operation() != op::NEG || self.imm == 0)
            }
            Class::Swap => self.src == 0 && self.offset == 0 && matches!(self.imm, 16 | 32 | 64),
            Class::Branch32 | Class::Branch64 => operand,
            Class::Load | Class::Store => self.imm == 0,
            Class::StoreImm => self.src == 0,
        }
    }
}
