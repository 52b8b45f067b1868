//! Locks: what is between taking one and giving it back is one exchange of a word that others take the same lock for.

use super::{Event, Machine, State, Value};
use crate::insn::{CALL, EXIT, Insn};
use crate::whole::term::Term;
use image::{MapRef, NodeMap};

/// A lock that is held, and what was done under it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lock {
    /// The key of the lock.
    key: Term,
    /// The word that was read: where, and what.
    word: Option<(MapRef, Term, Term)>,
    /// What it was compared with, and whether it is that.
    compared: Option<(Term, bool)>,
    /// What was stored in its place.
    stored: Option<Term>,
}

/// Whether an instruction may stand where a lock is held: nothing that others see but plain loads and stores, and giving it back.
pub fn may_stand(insn: Insn) -> bool {
    const UNLOCK: i32 = 94;
    match (insn.class(), insn.opcode) {
        (_, EXIT) => false,
        (_, CALL) => insn.imm == UNLOCK,
        (3, opcode) => opcode & 0xe0 == 0x60,
        _ => true,
    }
}

impl Lock {
    /// A word of a connection is read: one alone.
    pub fn read(&mut self, map: MapRef, at: Term, word: Term) -> Option<()> {
        self.word.replace((map, at, word)).is_none().then_some(())
    }

    /// It is given another value, once it was found to be what it should.
    pub fn store(&mut self, map: MapRef, at: Term, value: Term) -> Option<()> {
        let (of, from, _) = self.word?;
        let fine = (of, from) == (map, at) && self.compared?.1 && self.stored.is_none();
        self.stored = Some(value);
        fine.then_some(())
    }

    /// What was done, as one event; `None` where it is no exchange.
    fn event(self, number: Term) -> Option<Event> {
        let ((map, at, _), (old, same)) = (self.word?, self.compared?);
        let new = match (same, self.stored) {
            (true, Some(new)) => new,
            (false, None) => Term::NONE,
            _ => return None,
        };
        Some(Event::Locked(map, [number, at, old, new]))
    }
}

impl State {
    /// A comparison came out: under a lock, the first one of the word that was read says what it is.
    pub(super) fn compared(&mut self, op: u8, short: bool, left: Value, right: Value, holds: bool) {
        let Some(lock) = &mut self.lock else { return };
        let Some((_, _, word)) = lock.word else { return };
        if let (0x10 | 0x50, false, Value::Number(right), None) = (op, short, right, lock.compared)
            && left == Value::Number(word)
        {
            lock.compared = Some((right, holds == (op == 0x10)));
        }
    }
}

impl Machine<'_> {
    /// Takes the lock of an element; there is one at most.
    pub(super) fn lock(&mut self, state: &mut State, element: Value) -> Option<()> {
        let Value::Element(MapRef::Node(NodeMap::Locks), key) = element else { return None };
        let lock = Lock { key, word: None, compared: None, stored: None };
        state.lock.replace(lock).is_none().then_some(())
    }

    /// Gives it back: what was done under it is seen at once.
    pub(super) fn unlock(&mut self, state: &mut State, element: Value) -> Option<()> {
        let lock = state.lock.take()?;
        if element != Value::Element(MapRef::Node(NodeMap::Locks), lock.key) {
            return None;
        }
        let number = self.number_of(lock.key);
        state.events.push(lock.event(number)?);
        Some(())
    }

    /// Whether a key is for sure that of a lock, so that looking it up finds one.
    pub(super) fn is_lock(&mut self, state: &State, map: MapRef, key: Term) -> bool {
        if map != MapRef::Node(NodeMap::Locks) {
            return false;
        }
        let number = self.number_of(key);
        state.facts.range(&mut self.terms, number).1 < image::layout::lock::COUNT.into()
    }

    /// The number that a key of bytes is.
    fn number_of(&mut self, key: Term) -> Term {
        let bytes = self.terms.bytes_of(key);
        let little = self.little();
        self.terms.join(&bytes, little)
    }
}
