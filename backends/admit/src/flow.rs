//! Which slots of the frame somebody reads later on.
//!
//! Kernels before 6.18 tell each kept state what is read on the paths that lead on from it. Later ones note for each instruction the slots that it read on any path and those that it wrote whole on every path, and
//! follow them backwards along all ways of the program.

use crate::form::Form;
use crate::run::{Path, Run};
use crate::state::Places;

impl Run<'_> {
    /// The instruction that is being taken reads these. Kept states on the way learn it, as far back as where it was written.
    pub fn reads(&mut self, path: &Path, mut places: Places) {
        if self.rules.joint_liveness {
            self.flow.read(path.at, places.slots);
            return;
        }
        places = places.without(path.written);
        let mut parent = path.parent;
        while let Some(number) = parent.filter(|_| !places.is_empty()) {
            let saved = &mut self.saved[number];
            places = places.without(saved.read);
            saved.read.add(places);
            places = places.without(saved.written);
            parent = saved.parent;
        }
    }

    /// It writes these whole.
    pub fn writes(&mut self, path: &mut Path, places: Places) {
        path.written.add(places);
        self.flow.write(places.slots);
    }
}

/// Reads and writes of slots, by instruction.
pub(crate) struct Flow {
    reads: Vec<u64>,
    /// `None` for an instruction that no path has reached.
    writes: Vec<Option<u64>>,
    /// What the instruction that is being taken writes.
    current: u64,
    live: Vec<u64>,
    changed: bool,
}

impl Flow {
    pub fn new(insns: usize) -> Flow {
        Flow { reads: vec![0; insns], writes: vec![None; insns], current: 0, live: vec![0; insns], changed: false }
    }

    fn read(&mut self, at: usize, slots: u64) {
        self.changed |= self.reads[at] & slots != slots;
        self.reads[at] |= slots;
    }

    /// A write of all eight bytes by the instruction that is being taken.
    fn write(&mut self, slots: u64) {
        self.current |= slots;
    }

    /// The instruction has been taken.
    pub fn done(&mut self, at: usize) {
        let writes = self.writes[at].map_or(self.current, |before| before & self.current);
        self.changed |= self.writes[at] != Some(writes);
        self.writes[at] = Some(writes);
        self.current = 0;
    }

    /// Follows what changed backwards. Jumps lead forward, so one pass is enough.
    pub fn update(&mut self, form: &Form) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        for at in (0..form.insns.len()).rev() {
            let after = form.after(at, |next| self.live[next]);
            self.live[at] = after & !self.writes[at].unwrap_or(0) | self.reads[at];
        }
    }

    /// The slots that are read from an instruction on before they are written.
    pub fn live(&self, at: usize) -> u64 {
        self.live[at]
    }
}
