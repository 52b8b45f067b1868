//! Which memory each register is likely to point into.
//!
//! A guess only chooses which window machine code tries first: the check that follows holds for any address, and what fails it is asked of
//! the interpreter. So a wrong guess costs time and nothing else.

use vm::instruction::{Instruction, SOURCE_REGISTER, WIDE, class, jump, mode, op};
use vm::space::{ContextField, MAPS, STACK_SIZE, TAG_SHIFT, VALUES};

/// A region of the interpreter's memory that has a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    Stack,
    Context,
    Packet,
    /// The only value of the map of this number.
    Map(usize),
}

/// The guesses at one place of a program: for registers, and for the words of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guesses {
    registers: [Option<Region>; 11],
    words: [Option<Region>; STACK_SIZE / 8],
}

impl Guesses {
    /// As a program begins.
    pub(crate) fn start() -> Guesses {
        let mut guesses = Guesses { registers: [None; 11], words: [None; STACK_SIZE / 8] };
        (guesses.registers[1], guesses.registers[10]) = (Some(Region::Context), Some(Region::Stack));
        guesses
    }

    /// What a register points into.
    pub(crate) fn of(&self, register: u8) -> Option<Region> {
        self.registers[usize::from(register)]
    }

    /// Two ways meet: what one of them knows is good enough.
    pub(crate) fn join(&mut self, other: &Guesses) {
        let words = self.words.iter_mut().zip(other.words);
        for (guess, other) in self.registers.iter_mut().zip(other.registers).chain(words) {
            *guess = guess.or(other);
        }
    }

    /// Goes past an instruction.
    pub(crate) fn step(&mut self, insn: &Instruction) {
        match insn.class() {
            class::LD => self.set(insn.dst, map_of(insn)),
            class::LDX => {
                let loaded = self.loaded(insn);
                self.set(insn.dst, loaded);
            }
            class::STX if insn.code & 0xe0 == mode::MEM && insn.dst == 10 => {
                let stored = self.of(insn.src).filter(|_| insn.size() == 8);
                if let Some(word) = word(insn) {
                    self.words[word] = stored;
                }
            }
            class::ALU64 => self.arithmetic(insn),
            class::ALU => self.set(insn.dst, None),
            class::JMP if insn.code & 0xf0 == jump::CALL => self.registers[..6].fill(None),
            _ => {}
        }
    }

    fn loaded(&self, insn: &Instruction) -> Option<Region> {
        match self.of(insn.src)? {
            Region::Stack if insn.src == 10 && insn.size() == 8 => self.words[word(insn)?],
            Region::Context => match ContextField::at(usize::try_from(insn.off).ok()?, insn.size())? {
                ContextField::Packet => Some(Region::Packet),
                _ => None,
            },
            _ => None,
        }
    }

    fn arithmetic(&mut self, insn: &Instruction) {
        let operand = if insn.code & SOURCE_REGISTER != 0 { self.of(insn.src) } else { None };
        let result = match insn.code & 0xf0 {
            op::MOV => operand,
            op::ADD => self.of(insn.dst).or(operand),
            op::SUB => self.of(insn.dst),
            _ => None,
        };
        self.set(insn.dst, result);
    }

    fn set(&mut self, register: u8, guess: Option<Region>) {
        self.registers[usize::from(register)] = guess;
    }
}

/// The map into whose value a wide load points.
fn map_of(insn: &Instruction) -> Option<Region> {
    let tag = insn.imm as u64 >> TAG_SHIFT;
    (insn.code == WIDE && (VALUES..MAPS).contains(&tag)).then(|| Region::Map((tag - VALUES) as usize))
}

/// The word of the stack at the offset of an access through the frame pointer.
fn word(insn: &Instruction) -> Option<usize> {
    let offset = usize::try_from(STACK_SIZE as i32 + i32::from(insn.off)).ok()?;
    (offset.is_multiple_of(8) && offset < STACK_SIZE).then_some(offset / 8)
}
