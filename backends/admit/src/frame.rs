//! Loads from the frame and stores to it.

use crate::run::{Path, Run};
use crate::scalar::Deduction;
use crate::state::{Byte, Places, Slot, place};
use crate::value::{Kind, Value};

/// Bytes of a frame.
const SIZE: i64 = 512;

/// What is stored.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Register(usize),
    Immediate(i32),
}

impl Run<'_> {
    /// Where an access of the frame begins, below its end. Errors: one outside, or at an odd place.
    pub fn frame_offset(&self, base: &Value, displacement: i64, width: i64) -> Result<i64, String> {
        let variable = base.number.constant().ok_or("frame access at a place that is not known")?;
        let offset = (base.offset + displacement).checked_add(variable as i64).ok_or("frame access outside")?;
        if offset < -SIZE || offset + width > 0 {
            return Err(format!("frame access of {width} bytes at {offset}"));
        }
        Ok(offset)
    }

    /// Loads from the frame.
    pub fn load_frame(
        &mut self,
        path: &mut Path,
        base: &Value,
        displacement: i64,
        width: i64,
    ) -> Result<Value, String> {
        let offset = self.aligned(base, displacement, width)?;
        path.state.reach_down(offset);
        let (at, byte) = place(offset);
        let slot = path.state.frame[at];
        self.reads(path, Places::slot(at));
        let bytes = &slot.bytes[byte..byte + width as usize];
        if !slot.is_spilled() {
            self.readable(bytes, offset, width)?;
            return Ok(if bytes.iter().all(|it| *it == Byte::Zero) { Value::constant(0) } else { Value::ANY });
        }
        let spilled = slot.bytes.iter().take_while(|it| **it == Byte::Spilled).count() as i64;
        if !slot.value.is_number() {
            if width != 8 || spilled != 8 {
                return Err(format!("part of an address that was stored at {offset}"));
            }
            path.note(|entry| entry.slot = Some(at));
            return Ok(slot.value);
        }
        // Where a part begins in memory is where the number begins on one byte order, and where it ends on the other.
        let begins = if self.little_endian { byte as i64 } else { byte as i64 - (spilled - width) };
        if width == 8 && spilled == 8 || width <= spilled && begins == 0 {
            if self.is_copied(&slot.value, width, spilled) {
                self.number_of_copy(&mut path.state.frame[at].value);
            }
            path.note(|entry| entry.slot = Some(at));
            let mut value = path.state.frame[at].value;
            if i64::from(value.number.width()) > width * 8 {
                (value.id, value.shifted, value.offset) = (0, false, 0);
            }
            return Ok(value);
        }
        self.readable(bytes, offset, width)?;
        if bytes.iter().all(|it| *it == Byte::Spilled) && slot.value.as_constant() == Some(0) {
            path.note(|entry| entry.slot = Some(at));
            return Ok(Value::constant(0));
        }
        Ok(if bytes.iter().all(|it| *it == Byte::Zero) { Value::constant(0) } else { Value::ANY })
    }

    /// Whether a kernel sees a copy in what a load gives: all of what was stored.
    fn is_copied(&self, value: &Value, width: i64, spilled: i64) -> bool {
        width == 8 && spilled == 8 || width == 4 && spilled == 4 && value.number.width() <= 32
    }

    fn readable(&self, bytes: &[Byte], offset: i64, width: i64) -> Result<(), String> {
        match bytes.contains(&Byte::Unset) && !self.rules.unset_stack {
            true => Err(format!("load of {width} bytes at {offset} in the frame, which nothing wrote")),
            false => Ok(()),
        }
    }

    fn aligned(&self, base: &Value, displacement: i64, width: i64) -> Result<i64, String> {
        let offset = self.frame_offset(base, displacement, width)?;
        match offset.rem_euclid(width) {
            0 => Ok(offset),
            _ => Err(format!("frame access of {width} bytes at {offset}, which is no multiple")),
        }
    }

    /// Stores to the frame.
    pub fn store_frame(
        &mut self,
        path: &mut Path,
        base: &Value,
        displacement: i64,
        width: i64,
        source: Source,
    ) -> Result<(), String> {
        let offset = self.aligned(base, displacement, width)?;
        path.state.reach_down(offset);
        let (at, byte) = place(offset);
        if width == 8 {
            self.writes(path, Places::slot(at));
        }
        let stored = match source {
            Source::Register(register) => {
                let value = path.state.regs[register];
                if value.is_number() && byte == 0 && self.rules.narrow_spills {
                    let fits = i64::from(value.number.width()) <= width * 8;
                    if fits {
                        self.number_of_copy(&mut path.state.regs[register]);
                    }
                    let mut value = path.state.regs[register];
                    if !fits {
                        value.id = 0;
                    }
                    Some(value)
                } else if !value.is_number() {
                    if width != 8 {
                        return Err(format!("store of {width} bytes of an address"));
                    }
                    Some(value)
                } else {
                    None
                }
            }
            Source::Immediate(imm) => {
                (byte == 0 && self.rules.narrow_spills).then(|| Value::constant(i64::from(imm) as u64))
            }
        };
        if let Some(value) = stored {
            spill(&mut path.state.frame[at], value, width as usize);
            path.note(|entry| entry.slot = Some(at));
            return Ok(());
        }
        let zero = match source {
            Source::Register(register) => path.state.regs[register].as_constant() == Some(0),
            Source::Immediate(imm) => imm == 0,
        } && self.rules.narrow_spills;
        if let (Source::Register(register), true) = (source, zero) {
            self.need_exactly(path, register);
        }
        let slot = &mut path.state.frame[at];
        if slot.is_spilled() {
            for it in slot.bytes.iter_mut().filter(|it| **it == Byte::Spilled) {
                *it = Byte::Any;
            }
        }
        slot.value = Value::UNSET;
        slot.bytes[byte..byte + width as usize].fill(if zero { Byte::Zero } else { Byte::Any });
        Ok(())
    }

    /// A function reads so many bytes of the frame.
    pub fn read_frame(&mut self, path: &mut Path, base: &Value, size: i64) -> Result<(), String> {
        let offset = self.frame_offset(base, 0, size)?;
        path.state.reach_down(offset);
        for byte in offset..offset + size {
            let (at, within) = place(byte);
            let slot = &path.state.frame[at];
            self.readable(&[slot.bytes[within]], byte, 1)?;
            self.reads(path, Places::slot(at));
        }
        Ok(())
    }

    /// Gives a number that is about to be copied a number by which both are known; a constant needs none.
    pub fn number_of_copy(&mut self, value: &mut Value) {
        if value.kind != Kind::Number {
            return;
        }
        if value.shifted {
            (value.id, value.shifted, value.offset) = (0, false, 0);
        }
        if value.id == 0 && value.number.constant().is_none() {
            value.id = self.fresh_id();
        }
    }

    /// The part of a number that a narrower load gives.
    pub fn narrowed(&self, value: Value, width: i64) -> Value {
        let deduction: Deduction = self.rules.deduction;
        match value.is_number() && width < 8 {
            true => Value { number: value.number.cast(width, deduction), ..value },
            false => value,
        }
    }
}

/// A register at the start of a slot. What lies above a narrow one is anything, zero where it was.
fn spill(slot: &mut Slot, value: Value, width: usize) {
    slot.value = value;
    slot.bytes[..width].fill(Byte::Spilled);
    for byte in slot.bytes[width..].iter_mut().filter(|byte| matches!(byte, Byte::Spilled)) {
        *byte = Byte::Any;
    }
}
