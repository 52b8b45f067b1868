//! The order in which a kernel follows paths, and where it stops because it has been there.
//!
//! Depth first, what falls through before what jumps. At jumps and where control joins, a state is compared with those that were kept
//! there, and kept itself after at least two jumps and eight instructions since the last one.

use crate::run::{Path, Run, Saved};
use crate::state::{Byte, Places, State};
use crate::step::Next;
use crate::value::Value;
use std::collections::BTreeMap;

/// The most instructions that a kernel takes.
pub(crate) const PROCESSED: u32 = 1_000_000;
/// Jumps and instructions since the last kept state after which one is kept.
const JUMPS: u32 = 2;
const INSNS: u32 = 8;
/// Noted instructions after which one is kept in any case.
const HISTORY: u32 = 40;

impl Run<'_> {
    /// Follows every path.
    ///
    /// Errors: the instruction, and what is wrong with it.
    pub fn explore(&mut self) -> Result<(), (usize, String)> {
        let mut path = Path {
            state: State::start(),
            at: 0,
            parent: None,
            trace: Vec::new(),
            noted: 0,
            written: Places::default(),
        };
        loop {
            self.follow(&mut path)?;
            self.ended(path.parent);
            self.flow.update(self.form);
            match self.waiting.pop() {
                Some(next) => path = next,
                None => return Ok(()),
            }
        }
    }

    /// Follows one path to its end, or to where everything is known.
    fn follow(&mut self, path: &mut Path) -> Result<(), (usize, String)> {
        loop {
            let at = path.at;
            self.processed += 1;
            if self.processed > PROCESSED {
                return Err((at, format!("more than {PROCESSED} instructions to verify")));
            }
            if self.form.prune[at] && self.is_known(path) {
                return Ok(());
            }
            path.enter(self.form.joins[at]);
            if matches!(self.form.insns[at].0.opcode & 7, 5 | 6) {
                self.jumps += 1;
            }
            let (reads, writes) = self.form.uses[at];
            self.reads(path, Places { regs: reads, slots: 0 });
            let next = self.step(path).map_err(|what| (at, what))?;
            self.writes(path, Places { regs: writes, slots: 0 });
            self.flow.done(at);
            match next {
                Next::To(next) => path.at = next,
                Next::End => return Ok(()),
            }
        }
    }

    /// A path has ended; kept states all of whose paths have are complete.
    fn ended(&mut self, mut parent: Option<usize>) {
        while let Some(number) = parent {
            let saved = &mut self.saved[number];
            saved.open -= 1;
            if saved.open > 0 {
                return;
            }
            parent = saved.parent;
        }
    }

    /// Compares a state with those that were kept here. Keeps it where it is due.
    fn is_known(&mut self, path: &mut Path) -> bool {
        let at = path.at;
        let due = self.rules.long_history && path.noted > HISTORY
            || self.jumps - self.jumps_then >= JUMPS && self.processed - self.processed_then >= INSNS;
        self.clean(at);
        let kept = std::mem::take(&mut self.kept[at]);
        let mut remaining = Vec::with_capacity(kept.len() + 1);
        let mut hit = None;
        for (place, number) in kept.iter().copied().enumerate() {
            if self.is_covered(&self.saved[number].state, &path.state, at) {
                self.saved[number].hits += 1;
                hit = Some(number);
                remaining.extend(&kept[place..]);
                break;
            }
            let saved = &mut self.saved[number];
            saved.misses += u32::from(due);
            // A state that others rarely equal is not worth its comparisons.
            if saved.misses <= saved.hits * 3 + 3 {
                remaining.push(number);
            }
        }
        self.kept[at] = remaining;
        if let Some(number) = hit {
            let wanted = self.saved[number].state.precise_places();
            self.go_back(path, path.trace.len(), wanted);
            // What is read from the other state on is read from this one on.
            self.reads(path, self.saved[number].read);
            return true;
        }
        self.most_states = self.most_states.max(kept.len() as u32);
        if due {
            self.keep(path);
        }
        false
    }

    fn keep(&mut self, path: &mut Path) {
        self.jumps_then = self.jumps;
        self.processed_then = self.processed;
        forget_single_ids(&mut path.state);
        let trace = std::mem::take(&mut path.trace).into();
        path.noted = 0;
        let saved = Saved {
            state: path.state.clone(),
            parent: path.parent,
            trace,
            open: 1,
            hits: 0,
            misses: 0,
            cleaned: false,
            written: std::mem::take(&mut path.written),
            read: Places::default(),
        };
        self.saved.push(saved);
        let number = self.saved.len() - 1;
        path.parent = Some(number);
        self.kept[path.at].insert(0, number);
    }

    /// Forgets what nobody reads of the complete states here.
    fn clean(&mut self, at: usize) {
        let everywhere = Places { regs: self.form.live[at], slots: self.flow.live(at) };
        for &number in &self.kept[at] {
            let saved = &mut self.saved[number];
            if saved.open > 0 || std::mem::replace(&mut saved.cleaned, true) {
                continue;
            }
            let Places { regs: registers, slots } = if self.rules.joint_liveness { everywhere } else { saved.read };
            for (register, value) in saved.state.regs.iter_mut().enumerate() {
                if registers & 1 << register == 0 {
                    *value = Value::UNSET;
                }
            }
            for (place, slot) in saved.state.frame.iter_mut().enumerate() {
                if slots & 1 << place == 0 {
                    slot.bytes = [Byte::Unset; 8];
                    slot.value = Value::UNSET;
                }
            }
        }
    }
}

/// A number of copies that one value alone has is none.
fn forget_single_ids(state: &mut State) {
    let mut counts = BTreeMap::new();
    for value in state.values_mut().filter(|value| value.is_number() && value.id != 0) {
        *counts.entry(value.id).or_insert(0) += 1;
    }
    for value in state.values_mut().filter(|value| value.is_number() && value.id != 0) {
        if counts.get(&value.id) == Some(&1) {
            (value.id, value.shifted, value.offset) = (0, false, 0);
        }
    }
}
