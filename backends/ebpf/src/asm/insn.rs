//! One instruction of eBPF: its fields, its bytes, and its numbers.
//!
//! Source: the BPF instruction set, RFC 9669. Layout: opcode, registers, 16-bit offset, 32-bit immediate.

/// A register that programs may write. The frame pointer is [`Base::Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // Their names say all.
pub enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
}

/// What a load or store is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// A pointer in a register.
    Reg(Reg),
    /// The frame: offsets are negative, at least -512.
    Frame,
}

impl From<Reg> for Base {
    fn from(reg: Reg) -> Base {
        Base::Reg(reg)
    }
}

impl Base {
    pub(super) fn number(self) -> u8 {
        match self {
            Base::Reg(reg) => reg as u8,
            Base::Frame => 10,
        }
    }
}

/// The second operand of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A register.
    Reg(Reg),
    /// A 32-bit immediate, sign-extended.
    Imm(i32),
}

impl From<Reg> for Operand {
    fn from(reg: Reg) -> Operand {
        Operand::Reg(reg)
    }
}

impl From<i32> for Operand {
    fn from(imm: i32) -> Operand {
        Operand::Imm(imm)
    }
}

/// The width of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Size {
    /// Four bytes.
    Word = 0x00,
    /// Two bytes.
    Half = 0x08,
    /// One byte.
    Byte = 0x10,
    /// Eight bytes.
    Double = 0x18,
}

/// Arithmetic, 64 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // Their names say all.
pub enum Alu {
    Add = 0x00,
    Sub = 0x10,
    Mul = 0x20,
    Or = 0x40,
    And = 0x50,
    Shl = 0x60,
    Shr = 0x70,
    Xor = 0xa0,
    Mov = 0xb0,
    Sar = 0xc0,
}

/// Comparisons. `S` marks signed ones; `Set` asks for common bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // Their names say all.
pub enum Cond {
    Eq = 0x10,
    Gt = 0x20,
    Ge = 0x30,
    Set = 0x40,
    Ne = 0x50,
    Sgt = 0x60,
    Lt = 0xa0,
    Le = 0xb0,
}

/// Atomic operations on eight bytes. All but the plain addition need kernel 5.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Atomic {
    /// Adds; nothing is returned.
    Add = 0x00,
    /// Stores the source register and returns the old value in it.
    Exchange = 0xe1,
    /// Stores the source register if memory equals R0; R0 becomes the old value.
    CompareExchange = 0xf1,
}

/// Kernel functions, by their number in `enum bpf_func_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Helper {
    /// `map_lookup_elem(map, key)`.
    MapLookup = 1,
    /// `map_update_elem(map, key, value, flags)`.
    MapUpdate = 2,
    /// `ktime_get_ns()`.
    KtimeNs = 5,
    /// `skb_pull_data(skb, len)`: every packet pointer is stale after it.
    PullData = 39,
    /// `spin_lock(lock)`: until it is unlocked nothing else is called. Kernel 5.1.
    SpinLock = 93,
    /// `spin_unlock(lock)`.
    SpinUnlock = 94,
    /// `jiffies64()`: inlined by the kernel, not a call. Kernel 5.6.
    Jiffies64 = 118,
    /// `ringbuf_output(map, data, size, flags)`. Kernel 5.8.
    RingbufOutput = 130,
}

/// The fields of one instruction word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// Class, operation and source in one byte.
    pub opcode: u8,
    /// Destination register number.
    pub dst: u8,
    /// Source register number, or the kind of a wide immediate.
    pub src: u8,
    /// Jump distance or memory displacement.
    pub offset: i16,
    /// Immediate.
    pub imm: i32,
}

/// The opcode of a 16-byte immediate load.
pub const WIDE: u8 = 0x18;
/// The opcode of a call.
pub const CALL: u8 = 0x85;
/// The opcode of a return.
pub const EXIT: u8 = 0x95;
/// The opcode of an unconditional jump.
pub const JUMP: u8 = 0x05;

impl Insn {
    /// The word, in the byte order of the target: what a machine of that order reads as one `u64`.
    pub fn word(self, little_endian: bool) -> u64 {
        let [o0, o1] = if little_endian { self.offset.to_le_bytes() } else { self.offset.to_be_bytes() };
        let [i0, i1, i2, i3] = if little_endian { self.imm.to_le_bytes() } else { self.imm.to_be_bytes() };
        let registers = if little_endian { self.src << 4 | self.dst } else { self.dst << 4 | self.src };
        let bytes = [self.opcode, registers, o0, o1, i0, i1, i2, i3];
        if little_endian { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
    }

    /// The fields of a word; inverse of [`Insn::word`].
    pub fn from_word(word: u64, little_endian: bool) -> Insn {
        let bytes = if little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        let [opcode, registers, o0, o1, i0, i1, i2, i3] = bytes;
        let (low, high) = (registers & 15, registers >> 4);
        if little_endian {
            let (offset, imm) = (i16::from_le_bytes([o0, o1]), i32::from_le_bytes([i0, i1, i2, i3]));
            Insn { opcode, dst: low, src: high, offset, imm }
        } else {
            let (offset, imm) = (i16::from_be_bytes([o0, o1]), i32::from_be_bytes([i0, i1, i2, i3]));
            Insn { opcode, dst: high, src: low, offset, imm }
        }
    }

    /// Whether control may leave by a jump: conditional and unconditional ones.
    pub fn is_jump(self) -> bool {
        matches!(self.opcode & 7, 5 | 6) && self.opcode != CALL && self.opcode != EXIT
    }
}
