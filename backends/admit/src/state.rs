//! What is known at one point of one path.

use crate::insn::FRAME;
use crate::value::{Kind, Value};

/// What one byte of the frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Byte {
    Unset,
    /// A part of the register that was stored there.
    Spilled,
    Zero,
    Any,
}

/// Eight bytes of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// By address, the lowest first.
    pub bytes: [Byte; 8],
    /// The register that was stored there.
    pub value: Value,
}

impl Slot {
    pub const UNSET: Slot = Slot { bytes: [Byte::Unset; 8], value: Value::UNSET };

    /// Whether a register was stored at its start, of any width.
    pub fn is_spilled(&self) -> bool {
        self.bytes[0] == Byte::Spilled
    }

    /// Whether a number was stored over its whole width.
    pub fn is_whole_number(&self) -> bool {
        self.bytes == [Byte::Spilled; 8] && self.value.is_number()
    }
}

/// Registers and frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub regs: [Value; 11],
    /// Slot n begins 8 * (n + 1) bytes below the end of the frame. Shape: as far down as the path has touched.
    pub frame: Vec<Slot>,
    /// The number of the look-up that gave the lock that is held; 0 for none.
    pub lock: u32,
}

impl State {
    /// What a program finds at its first instruction.
    pub fn start() -> State {
        let mut regs = [Value::UNSET; 11];
        regs[1] = Value::pointer(Kind::Context);
        regs[FRAME] = Value::pointer(Kind::Frame);
        State { regs, frame: Vec::new(), lock: 0 }
    }

    /// Makes the frame reach down to `offset`, which is negative.
    pub fn reach_down(&mut self, offset: i64) {
        let slots = (-offset).max(0).div_euclid(8) + i64::from(offset.rem_euclid(8) != 0);
        if slots as usize > self.frame.len() {
            self.frame.resize(slots as usize, Slot::UNSET);
        }
    }

    /// Where numbers stand that are needed exactly.
    pub fn precise_places(&self) -> Places {
        let mut out = Places::default();
        for (at, _) in self.regs.iter().enumerate().filter(|(_, value)| value.is_number() && value.precise) {
            out.regs |= 1 << at;
        }
        for (at, slot) in self.frame.iter().enumerate() {
            if slot.is_spilled() && slot.value.is_number() && slot.value.precise {
                out.slots |= 1 << at;
            }
        }
        out
    }

    /// Every register and every stored one.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let stored = self.frame.iter_mut().filter(|slot| slot.is_spilled()).map(|slot| &mut slot.value);
        self.regs.iter_mut().chain(stored)
    }
}

/// The slot of a place in the frame, and the byte in it.
pub(crate) fn place(offset: i64) -> (usize, usize) {
    (((-offset - 1) / 8) as usize, offset.rem_euclid(8) as usize)
}

/// A set of registers and slots of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub regs: u16,
    pub slots: u64,
}

impl Places {
    pub fn register(number: usize) -> Places {
        Places { regs: 1 << number, slots: 0 }
    }

    pub fn slot(number: usize) -> Places {
        Places { regs: 0, slots: 1 << number }
    }

    /// What is here and not there.
    pub fn without(self, other: Places) -> Places {
        Places { regs: self.regs & !other.regs, slots: self.slots & !other.slots }
    }

    pub fn is_empty(self) -> bool {
        self.regs == 0 && self.slots == 0
    }

    pub fn has_register(self, number: usize) -> bool {
        self.regs & 1 << number != 0
    }

    pub fn meets(self, other: Places) -> bool {
        self.regs & other.regs != 0 || self.slots & other.slots != 0
    }

    pub fn count(self) -> u32 {
        self.regs.count_ones() + self.slots.count_ones()
    }

    pub fn add(&mut self, other: Places) {
        self.regs |= other.regs;
        self.slots |= other.slots;
    }
}
