//! A small typed assembler: labels, forward jumps, map references, checked at the end.
//!
//! The builder takes no decision about what a program means; it refuses what a kernel would refuse for its form alone, so that
//! a mistake of the emitter is an error here and never a surprise on a node.

mod insn;
mod text;

pub use insn::{Alu, Atomic, Base, CALL, Cond, EXIT, Helper, Insn, JUMP, Operand, Reg, Size, WIDE};
pub use text::text;

use image::{MapRef, Reloc};

/// A place that jumps lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(u32);

/// Bytes of the frame, by their place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(pub i16);

impl Slot {
    /// The slot this many bytes further up.
    pub const fn at(self, bytes: u32) -> Slot {
        Slot(self.0 + bytes as i16)
    }
}

/// Why a sequence of instructions is no program. Every one is a mistake of the emitter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsmError {
    /// A label was used and never placed.
    #[error("label {0} is never placed")]
    Unbound(u32),
    /// A jump does not fit into 16 bits, or leads backwards.
    #[error("the jump at instruction {0} leads too far or backwards")]
    Range(usize),
    /// Nothing leads to an instruction.
    #[error("instruction {0} is never reached")]
    Unreachable(usize),
    /// The last instruction falls off the end.
    #[error("the program does not end in an exit")]
    FallsOff,
    /// A frame access outside the 512 bytes.
    #[error("the frame access at instruction {0} is outside the 512 bytes")]
    Frame(usize),
}

/// The finished program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// Words in the target's byte order.
    pub insns: Vec<u64>,
    /// References to maps, ascending.
    pub relocs: Vec<Reloc>,
}

/// Instructions under construction.
#[derive(Clone, Debug, Default)]
pub struct Asm {
    insns: Vec<Insn>,
    relocs: Vec<Reloc>,
    /// Where each label stands.
    places: Vec<Option<usize>>,
    /// Jumps to labels: instruction, label.
    jumps: Vec<(usize, Label)>,
}

impl Asm {
    /// An empty program.
    pub fn new() -> Asm {
        Asm::default()
    }

    /// How many instruction words there are so far.
    pub fn len(&self) -> usize {
        self.insns.len()
    }

    /// Whether there is nothing yet.
    pub fn is_empty(&self) -> bool {
        self.insns.is_empty()
    }

    /// A new label, not placed yet.
    pub fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() as u32 - 1)
    }

    /// Places a label here.
    pub fn bind(&mut self, label: Label) {
        self.places[label.0 as usize] = Some(self.insns.len());
    }

    /// Whether any jump leads to this label.
    pub fn is_used(&self, label: Label) -> bool {
        self.jumps.iter().any(|(_, used)| *used == label)
    }

    fn push(&mut self, opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) {
        self.insns.push(Insn { opcode, dst, src, offset, imm });
    }

    /// `dst = dst op operand`, 64 bits.
    pub fn alu(&mut self, op: Alu, dst: Reg, operand: impl Into<Operand>) {
        match operand.into() {
            Operand::Reg(src) => self.push(0x0f | op as u8, dst as u8, src as u8, 0, 0),
            Operand::Imm(imm) => self.push(0x07 | op as u8, dst as u8, 0, 0, imm),
        }
    }

    /// `dst = operand`.
    pub fn mov(&mut self, dst: Reg, operand: impl Into<Operand>) {
        self.alu(Alu::Mov, dst, operand);
    }

    /// `dst = low 32 bits of src`.
    pub fn mov32(&mut self, dst: Reg, src: Reg) {
        self.push(0xbc, dst as u8, src as u8, 0, 0);
    }

    /// `dst = frame + slot`.
    pub fn frame(&mut self, dst: Reg, slot: Slot) {
        self.push(0xbf, dst as u8, 10, 0, 0);
        self.alu(Alu::Add, dst, i32::from(slot.0));
    }

    /// `dst = value`, in the shortest form.
    pub fn constant(&mut self, dst: Reg, value: u64) {
        match i32::try_from(value as i64) {
            Ok(imm) => self.mov(dst, imm),
            Err(_) => {
                self.push(WIDE, dst as u8, 0, 0, value as u32 as i32);
                self.push(0, 0, 0, 0, (value >> 32) as u32 as i32);
            }
        }
    }

    /// `dst` from network order to the order of the machine, or back. Units: 16, 32 or 64 bits; the rest becomes zero.
    pub fn swap(&mut self, dst: Reg, bits: i32) {
        self.push(0xdc, dst as u8, 0, 0, bits);
    }

    /// `dst = the map itself`, for a helper.
    pub fn map(&mut self, dst: Reg, map: MapRef) {
        self.reference(dst, map, None);
    }

    /// `dst = address of byte offset of the map's value`.
    pub fn value(&mut self, dst: Reg, map: MapRef, offset: u32) {
        self.reference(dst, map, Some(offset));
    }

    fn reference(&mut self, dst: Reg, map: MapRef, value_offset: Option<u32>) {
        self.relocs.push(Reloc { at: self.insns.len() as u32, map, value_offset });
        self.push(WIDE, dst as u8, 0, 0, 0);
        self.push(0, 0, 0, 0, 0);
    }

    /// `dst = memory`, zero-extended.
    pub fn load(&mut self, size: Size, dst: Reg, base: impl Into<Base>, offset: impl TryInto<i16>) {
        // An offset that does not fit becomes one outside every object, which the kernel and `finish` refuse.
        self.push(0x61 | size as u8, dst as u8, base.into().number(), offset.try_into().unwrap_or(i16::MAX), 0);
    }

    /// `memory = src`.
    pub fn store(&mut self, size: Size, base: impl Into<Base>, offset: impl TryInto<i16>, src: Reg) {
        self.push(0x63 | size as u8, base.into().number(), src as u8, offset.try_into().unwrap_or(i16::MAX), 0);
    }

    /// `memory = immediate`.
    pub fn store_imm(&mut self, size: Size, base: impl Into<Base>, offset: impl TryInto<i16>, imm: i32) {
        self.push(0x62 | size as u8, base.into().number(), 0, offset.try_into().unwrap_or(i16::MAX), imm);
    }

    /// `dst = frame slot`.
    pub fn get(&mut self, size: Size, dst: Reg, slot: Slot) {
        self.load(size, dst, Base::Frame, slot.0);
    }

    /// `frame slot = src`.
    pub fn put(&mut self, size: Size, slot: Slot, src: Reg) {
        self.store(size, Base::Frame, slot.0, src);
    }

    /// `frame slot = immediate`.
    pub fn put_imm(&mut self, size: Size, slot: Slot, imm: i32) {
        self.store_imm(size, Base::Frame, slot.0, imm);
    }

    /// An atomic operation on eight bytes.
    pub fn atomic(&mut self, op: Atomic, base: Reg, offset: impl TryInto<i16>, src: Reg) {
        self.push(0xdb, base as u8, src as u8, offset.try_into().unwrap_or(i16::MAX), op as u8 as i32);
    }

    /// Jumps when the comparison of 64 bits holds.
    pub fn jump_if(&mut self, cond: Cond, left: Reg, right: impl Into<Operand>, to: Label) {
        self.conditional(0x05, cond, left, right.into(), to);
    }

    /// Jumps when the comparison of the low 32 bits holds. Kernel 5.1.
    pub fn jump_if32(&mut self, cond: Cond, left: Reg, right: impl Into<Operand>, to: Label) {
        self.conditional(0x06, cond, left, right.into(), to);
    }

    fn conditional(&mut self, class: u8, cond: Cond, left: Reg, right: Operand, to: Label) {
        self.jumps.push((self.insns.len(), to));
        match right {
            Operand::Reg(src) => self.push(class | 0x08 | cond as u8, left as u8, src as u8, 0, 0),
            Operand::Imm(imm) => self.push(class | cond as u8, left as u8, 0, 0, imm),
        }
    }

    /// Jumps.
    pub fn jump(&mut self, to: Label) {
        self.jumps.push((self.insns.len(), to));
        self.push(JUMP, 0, 0, 0, 0);
    }

    /// Calls a kernel function; R1 to R5 are gone after it.
    pub fn call(&mut self, helper: Helper) {
        self.push(CALL, 0, 0, 0, helper as i32);
    }

    /// Returns R0.
    pub fn exit(&mut self) {
        self.push(EXIT, 0, 0, 0, 0);
    }

    /// Resolves the labels and checks the form.
    ///
    /// Errors: [`AsmError`]. A program that passes has only forward jumps, no dead instruction, and touches only its frame.
    pub fn finish(mut self, little_endian: bool) -> Result<Assembled, AsmError> {
        for &(at, label) in &self.jumps {
            let place = self.places[label.0 as usize].ok_or(AsmError::Unbound(label.0))?;
            let distance = place.checked_sub(at + 1).ok_or(AsmError::Range(at))?;
            self.insns[at].offset = i16::try_from(distance).map_err(|_| AsmError::Range(at))?;
        }
        self.check_frame()?;
        self.check_flow()?;
        let insns = self.insns.iter().map(|insn| insn.word(little_endian)).collect();
        Ok(Assembled { insns, relocs: self.relocs })
    }

    fn check_frame(&self) -> Result<(), AsmError> {
        for (at, insn) in self.insns.iter().enumerate() {
            let base = match insn.opcode & 7 {
                1 => insn.src,
                2 | 3 => insn.dst,
                _ => continue,
            };
            if base == 10 && !(-512..0).contains(&insn.offset) {
                return Err(AsmError::Frame(at));
            }
        }
        Ok(())
    }

    /// Jumps lead forward only, so one pass finds everything that is reached.
    fn check_flow(&self) -> Result<(), AsmError> {
        let mut reached = vec![false; self.insns.len() + 1];
        reached[0] = true;
        let mut at = 0;
        while at < self.insns.len() {
            if !reached[at] {
                return Err(AsmError::Unreachable(at));
            }
            let insn = self.insns[at];
            let next = at + if insn.opcode == WIDE { 2 } else { 1 };
            if insn.is_jump() {
                *reached.get_mut(at + 1 + insn.offset as usize).ok_or(AsmError::FallsOff)? = true;
            }
            if insn.opcode != EXIT && insn.opcode != JUMP {
                *reached.get_mut(next).ok_or(AsmError::FallsOff)? = true;
            }
            at = next;
        }
        if reached[self.insns.len()] { Err(AsmError::FallsOff) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(build: impl FnOnce(&mut Asm)) -> Result<Assembled, AsmError> {
        let mut asm = Asm::new();
        build(&mut asm);
        asm.finish(true)
    }

    #[test]
    fn a_label_that_is_never_placed_is_refused() {
        let built = finish(|asm| {
            let label = asm.label();
            asm.jump(label);
        });
        assert_eq!(built, Err(AsmError::Unbound(0)));
    }

    #[test]
    fn an_instruction_that_nothing_leads_to_is_refused() {
        let built = finish(|asm| {
            asm.mov(Reg::R0, 0);
            asm.exit();
            asm.exit();
        });
        assert_eq!(built, Err(AsmError::Unreachable(2)));
    }

    #[test]
    fn jumps_are_forward_and_16_bits_far() {
        let backward = finish(|asm| {
            let label = asm.label();
            asm.bind(label);
            asm.jump(label);
        });
        assert_eq!(backward, Err(AsmError::Range(0)));
        let far = finish(|asm| {
            let label = asm.label();
            asm.jump_if(Cond::Eq, Reg::R1, 0, label);
            (0..40_000).for_each(|_| asm.mov(Reg::R0, 0));
            asm.bind(label);
            asm.exit();
        });
        assert_eq!(far, Err(AsmError::Range(0)));
    }

    #[test]
    fn a_program_ends_in_an_exit_and_stays_in_its_frame() {
        assert_eq!(finish(|asm| asm.mov(Reg::R0, 0)), Err(AsmError::FallsOff));
        let outside = finish(|asm| {
            asm.put_imm(Size::Double, Slot(-520), 0);
            asm.exit();
        });
        assert_eq!(outside, Err(AsmError::Frame(0)));
    }

    #[test]
    fn a_word_reads_back_in_both_byte_orders() {
        let insn = Insn { opcode: 0x2d, dst: 3, src: 9, offset: -2, imm: 0x0102_0304 };
        for little in [true, false] {
            assert_eq!(Insn::from_word(insn.word(little), little), insn);
        }
        assert_eq!(insn.word(true).to_le_bytes(), [0x2d, 0x93, 0xfe, 0xff, 4, 3, 2, 1]);
    }
}
