//! Which numbers have to be exactly what they were.
//!
//! Where a number decides a branch or becomes a part of an address, a kernel goes back along the path to where the number came from, and
//! marks it in each state that it kept on the way: another state at the same place is the same only if such numbers are within those.

use crate::insn::{Class, FRAME, op};
use crate::run::{Entry, Path, Run};
use crate::state::Places;
use std::rc::Rc;

/// Going back met an instruction that it cannot explain.
struct Lost;

impl Run<'_> {
    /// The number in a register is needed exactly by the instruction that is being taken.
    pub fn need_exactly(&mut self, path: &Path, register: usize) {
        if path.state.regs[register].is_number() {
            let done = path.trace.len().saturating_sub(1);
            self.go_back(path, done, Places::register(register));
        }
    }

    /// These numbers are needed exactly after the first `taken` instructions since the last kept state.
    pub fn go_back(&mut self, path: &Path, taken: usize, mut wanted: Places) {
        if wanted.is_empty() {
            return;
        }
        let mut parent = path.parent;
        let mut trace: Rc<[Entry]> = path.trace[..taken].into();
        loop {
            for entry in trace.iter().rev() {
                if self.back(entry, &mut wanted).is_err() {
                    return self.everything(path);
                }
                if wanted.is_empty() {
                    return;
                }
            }
            let Some(number) = parent else { break };
            self.mark(number, &mut wanted);
            if wanted.is_empty() {
                return;
            }
            trace = self.saved[number].trace.clone();
            parent = self.saved[number].parent;
        }
        self.everything(path);
    }

    /// Marks what is wanted in a kept state. What is no number there, or is marked already, is wanted no more.
    fn mark(&mut self, number: usize, wanted: &mut Places) {
        let state = &mut self.saved[number].state;
        for (at, value) in state.regs.iter_mut().enumerate() {
            let is_wanted = wanted.has_register(at);
            if is_wanted && (!value.is_number() || std::mem::replace(&mut value.precise, true)) {
                wanted.regs &= !(1 << at);
            }
        }
        for (at, slot) in state.frame.iter_mut().enumerate() {
            if wanted.slots & 1 << at != 0 {
                let is_number = slot.is_spilled() && slot.value.is_number();
                if !is_number || std::mem::replace(&mut slot.value.precise, true) {
                    wanted.slots &= !(1 << at);
                }
            }
        }
        let reached = state.frame.len();
        if reached < 64 {
            wanted.slots &= (1 << reached) - 1;
        }
    }

    /// Marks every number of every state on the way.
    fn everything(&mut self, path: &Path) {
        let mut parent = path.parent;
        while let Some(number) = parent {
            for value in self.saved[number].state.values_mut().filter(|value| value.is_number()) {
                value.precise = true;
            }
            parent = self.saved[number].parent;
        }
    }

    /// From what is wanted after an instruction to what is wanted before it.
    fn back(&self, entry: &Entry, wanted: &mut Places) -> Result<(), Lost> {
        let Some((insn, class)) = self.form.at(entry.at) else { return Ok(()) };
        let (dst, src) = (insn.dst, insn.src);
        if entry.linked.meets(*wanted) {
            wanted.add(entry.linked);
        }
        match class {
            Class::Alu32 | Class::Alu64 | Class::Swap if wanted.has_register(dst) => {
                let is_move = matches!(class, Class::Alu32 | Class::Alu64) && insn.operation() == op::MOV;
                if is_move {
                    wanted.regs &= !(1 << dst);
                }
                if insn.by_register() && class != Class::Swap && insn.operation() != op::NEG && src != FRAME {
                    wanted.regs |= 1 << src;
                }
            }
            Class::Wide if wanted.has_register(dst) => wanted.regs &= !(1 << dst),
            Class::Load if wanted.has_register(dst) => {
                wanted.regs &= !(1 << dst);
                if let Some(slot) = entry.slot {
                    wanted.slots |= 1 << slot;
                }
            }
            Class::Store | Class::StoreImm | Class::Atomic => {
                if wanted.has_register(dst) {
                    return Err(Lost);
                }
                if let Some(slot) = entry.slot.filter(|slot| wanted.slots & 1 << slot != 0) {
                    wanted.slots &= !(1 << slot);
                    if class == Class::Store {
                        wanted.regs |= 1 << src;
                    }
                }
            }
            Class::Call => {
                wanted.regs &= !1;
                if wanted.regs & 0x3e != 0 {
                    return Err(Lost);
                }
            }
            Class::Branch32 | Class::Branch64
                if insn.by_register() && (wanted.has_register(dst) || wanted.has_register(src)) =>
            {
                for (register, is_frame) in [dst, src].into_iter().zip(entry.frames) {
                    wanted.regs |= u16::from(!is_frame) << register;
                }
            }
            _ => {}
        }
        if entry.linked.meets(*wanted) {
            wanted.add(entry.linked);
        }
        Ok(())
    }
}
