//! Comparing and exchanging where the kernel has no instruction for it: every writer of a state word holds the lock of its set meanwhile.
//!
//! What is under the lock is a load, a comparison and a store, so a processor that waits waits for that long. Readers take no lock, as they
//! do beside the instruction: they see the word before or after. A writer that loses finds out here, as it would there.

use crate::asm::{Alu, Cond, Helper, Label, Reg::*, Size};
use crate::emit::{Emit, Family, frame};
use image::layout::{TRACK_WAYS, lock};
use image::{MapRef, NodeMap};

impl Emit<'_> {
    /// Stores what `word` leaves in R3 as the state word of the entry R7 if it is still R8, and leaves for `lost` if it is not.
    ///
    /// `word` may use R0 to R4 and calls nothing. Clobbers R0 to R5.
    pub fn exchange_locked(&mut self, family: Family, lost: Label, word: impl FnOnce(&mut Self)) {
        let (kept, changed) = (self.asm.label(), self.asm.label());
        const { assert!(lock::COUNT.is_power_of_two()) };
        self.asm.mov(R1, R7);
        self.asm.alu(Alu::Shr, R1, family.entry_log2 + TRACK_WAYS.trailing_zeros() as i32);
        self.asm.alu(Alu::And, R1, lock::COUNT as i32 - 1);
        self.asm.put(Size::Word, frame::LOCK_NUMBER, R1);
        self.asm.map(R1, MapRef::Node(NodeMap::Locks));
        self.asm.frame(R2, frame::LOCK_NUMBER);
        self.asm.call(Helper::MapLookup);
        // It is there: the number is masked. The verifier does not conclude that.
        self.asm.jump_if(Cond::Eq, R0, 0, lost);
        self.asm.put(Size::Double, frame::LOCK, R0);
        self.asm.mov(R1, R0);
        self.asm.call(Helper::SpinLock);
        self.entry_address(family);
        self.asm.load(Size::Double, R0, R5, family.state);
        self.asm.jump_if(Cond::Ne, R0, R8, changed);
        word(self);
        self.asm.store(Size::Double, R5, family.state, R3);
        self.unlock();
        self.asm.jump(kept);
        self.asm.bind(changed);
        self.unlock();
        self.asm.jump(lost);
        self.asm.bind(kept);
    }

    fn unlock(&mut self) {
        self.asm.get(Size::Double, R1, frame::LOCK);
        self.asm.call(Helper::SpinUnlock);
    }

    /// R5 = the address of the entry R7.
    pub fn entry_address(&mut self, family: Family) {
        self.asm.value(R5, MapRef::Node(family.map), 0);
        self.asm.alu(Alu::Add, R5, R7);
    }
}
