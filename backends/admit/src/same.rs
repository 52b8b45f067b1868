//! Whether a state is no more than one whose future is known.

use crate::run::Run;
use crate::state::{Byte, Slot, State};
use crate::value::{Kind, Value};

/// Numbers of copies in one state, and those that they correspond to in another.
#[derive(Default)]
struct Pairs {
    pairs: Vec<(u32, u32)>,
    /// Numbers for values that have none: larger than all that exist.
    next: u32,
    /// Whether addresses of locks correspond by the numbers of their look-ups.
    locks: bool,
}

impl Pairs {
    /// Both have a number, and the numbers correspond, or neither has.
    fn match_ids(&mut self, old: u32, new: u32) -> bool {
        match (old, new) {
            (0, 0) => true,
            (0, _) | (_, 0) => false,
            _ => match self.pairs.iter().find(|(a, b)| *a == old || *b == new) {
                Some(pair) => *pair == (old, new),
                None => {
                    self.pairs.push((old, new));
                    true
                }
            },
        }
    }

    /// Likewise for numbers: one without a number is a copy of nothing.
    fn match_numbers(&mut self, old: u32, new: u32) -> bool {
        let mut own = |id| {
            if id != 0 {
                return id;
            }
            self.next += 1;
            self.next
        };
        let (old, new) = (own(old), own(new));
        self.match_ids(old, new)
    }
}

impl Run<'_> {
    /// Whether everything that may happen from `new` on has been followed from `old` on.
    pub fn is_covered(&self, old: &State, new: &State, at: usize) -> bool {
        let mut pairs = Pairs { pairs: Vec::new(), next: self.ids, locks: self.rules.matched_locks };
        // Before, what is not read was forgotten when the old state was cleaned.
        let live = if self.rules.joint_liveness { self.form.live[at] } else { u16::MAX };
        // Numbers of look-ups are new each time: where they are compared as such, what is done under a lock is followed for each.
        let same_lock =
            if self.rules.matched_locks { pairs.match_ids(old.lock, new.lock) } else { old.lock == new.lock };
        if !same_lock {
            return false;
        }
        let mut registers = old.regs.iter().zip(&new.regs).enumerate();
        registers.all(|(at, (old, new))| live & 1 << at == 0 || covers(old, new, &mut pairs))
            && self.frame_is_covered(&old.frame, &new.frame, &mut pairs)
    }

    fn frame_is_covered(&self, old: &[Slot], new: &[Slot], pairs: &mut Pairs) -> bool {
        old.iter().enumerate().all(|(at, old)| match new.get(at) {
            Some(new) => self.slot_is_covered(old, new, pairs),
            None => old.bytes.iter().all(|byte| self.is_unread(*byte)),
        })
    }

    /// Whether a byte of an explored state tells nothing of what another has to hold there.
    fn is_unread(&self, byte: Byte) -> bool {
        byte == Byte::Unset || self.rules.unset_stack && byte == Byte::Any
    }

    fn slot_is_covered(&self, old: &Slot, new: &Slot, pairs: &mut Pairs) -> bool {
        if old.bytes.iter().all(|byte| self.is_unread(*byte)) {
            return true;
        }
        if let (true, Some(old), Some(new)) = (self.rules.narrow_spills, self.as_number(old), self.as_number(new)) {
            return covers(&old, &new, pairs);
        }
        let bytes = old.bytes.iter().zip(new.bytes);
        for (old, new) in bytes {
            let fits = self.is_unread(*old) || *old == new || *old == Byte::Any && new == Byte::Zero;
            if !fits {
                return false;
            }
        }
        !old.is_spilled() || !new.is_spilled() || covers(&old.value, &new.value, pairs)
    }

    /// What a load of the whole slot gives, where that is a number in any case.
    fn as_number(&self, slot: &Slot) -> Option<Value> {
        if slot.is_whole_number() {
            return Some(slot.value);
        }
        let any = |byte: &Byte| *byte == Byte::Any || *byte == Byte::Unset && self.rules.unset_stack;
        slot.bytes.iter().all(any).then_some(Value::ANY)
    }
}

/// Whether what is known of the old value holds of the new one, as far as it matters.
fn covers(old: &Value, new: &Value, pairs: &mut Pairs) -> bool {
    if old.kind == Kind::Unset {
        return true;
    }
    if old.kind != new.kind {
        return false;
    }
    match old.kind {
        Kind::Number => {
            !old.precise
                || old.shifted == new.shifted
                    && (!old.shifted || old.offset == new.offset)
                    && old.number.holds(&new.number)
                    && pairs.match_numbers(old.id, new.id)
        }
        Kind::Value(_) | Kind::ValueOrNull(_) => {
            let corresponds = matches!(old.kind, Kind::Value(_)) && !pairs.locks || pairs.match_ids(old.id, new.id);
            old.offset == new.offset && old.number.holds(&new.number) && corresponds
        }
        Kind::Packet => {
            let reaches = match (old.reach, new.reach) {
                (crate::value::Reach::Bytes(old), crate::value::Reach::Bytes(new)) => old <= new,
                (old, new) => old == new,
            };
            reaches && old.offset == new.offset && pairs.match_ids(old.id, new.id) && old.number.holds(&new.number)
        }
        _ => old.offset == new.offset && old.number == new.number && pairs.match_ids(old.id, new.id),
    }
}
