//! What the steps of one exploration share.

use crate::flow::Flow;
use crate::form::Form;
use crate::kernel::Rules;
use crate::state::{Places, State};
use crate::tables::Tables;
use std::rc::Rc;

/// An instruction that a path went through, with what a kernel notes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub at: usize,
    /// The slot of the frame that a register was stored to or restored from.
    pub slot: Option<usize>,
    /// Compared sides that were addresses in the frame: left, right.
    pub frames: [bool; 2],
    /// Registers and slots that learnt together.
    pub linked: Places,
    /// Whether it counts for the length of the history.
    pub noted: bool,
}

/// A path that is followed, or one that waits.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub state: State,
    /// The instruction that comes next.
    pub at: usize,
    /// The state that was kept last on the way, by number.
    pub parent: Option<usize>,
    /// The instructions since then; while one is taken, it is the last of them.
    pub trace: Vec<Entry>,
    /// How many of them are noted.
    pub noted: u32,
    /// What was written whole since then.
    pub written: Places,
}

impl Path {
    /// The entry of the instruction that is being taken, which counts for the history from now on.
    pub fn note(&mut self, note: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.trace.last_mut() {
            note(entry);
            self.noted += u32::from(!entry.noted);
            entry.noted = true;
        }
    }

    /// Begins an instruction.
    pub fn enter(&mut self, noted: bool) {
        self.trace.push(Entry { at: self.at, slot: None, frames: [false; 2], linked: Places::default(), noted });
        self.noted += u32::from(noted);
    }
}

/// A state that is kept for comparison.
pub(crate) struct Saved {
    pub state: State,
    pub parent: Option<usize>,
    /// How the path came here from the parent.
    pub trace: Rc<[Entry]>,
    /// Paths from here on that have not ended.
    pub open: u32,
    pub hits: u32,
    pub misses: u32,
    /// Whether what nobody reads was forgotten.
    pub cleaned: bool,
    /// What was written whole between the parent and here.
    pub written: Places,
    /// What was read from here on before it was written.
    pub read: Places,
}

/// One exploration of one program.
pub(crate) struct Run<'a> {
    pub form: &'a Form,
    pub tables: &'a Tables,
    pub rules: Rules,
    pub little_endian: bool,
    /// Kept states, by number.
    pub saved: Vec<Saved>,
    /// The numbers of those that are compared at each instruction, the newest first.
    pub kept: Vec<Vec<usize>>,
    /// Paths that wait, the next one last.
    pub waiting: Vec<Path>,
    /// The last number that copies of one value share.
    pub ids: u32,
    /// Reads and writes of the frame.
    pub flow: Flow,
    /// Whether each access went through the context.
    pub through_context: Vec<Option<bool>>,
    /// Instructions taken, and jumps among them.
    pub processed: u32,
    pub jumps: u32,
    /// The same when the last state was kept.
    pub processed_then: u32,
    pub jumps_then: u32,
    /// The most states that were compared at one instruction.
    pub most_states: u32,
}

impl<'a> Run<'a> {
    pub fn new(form: &'a Form, tables: &'a Tables, rules: Rules, little_endian: bool) -> Run<'a> {
        Run {
            form,
            tables,
            rules,
            little_endian,
            saved: Vec::new(),
            kept: vec![Vec::new(); form.insns.len()],
            waiting: Vec::new(),
            ids: 0,
            flow: Flow::new(form.insns.len()),
            through_context: vec![None; form.insns.len()],
            processed: 0,
            jumps: 0,
            processed_then: 0,
            jumps_then: 0,
            most_states: 0,
        }
    }

    /// A number that no value has yet.
    pub fn fresh_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }
}
