//! Making an entry: a free way if there is one, else the one that is missed least.

use crate::asm::{Alu, Atomic, Cond, Reg::*, Size};
use crate::emit::{Emit, Family, facts, frame};
use image::layout::{TRACK_WAYS, state};
use image::{DropReason, MapRef};

/// How far two processors' clocks may be apart, in jiffies.
const SKEW: i32 = 256;

impl Emit<'_> {
    /// After an allowed decision on a tuple without entry: R7 is the home entry. Passes, or drops with `tracking-full`.
    pub fn insert(&mut self, family: Family, take: crate::asm::Label) {
        self.choose(family, take);
        self.asm.mov(R7, R9);
        self.asm.bind(take);
        self.take(family);
    }

    /// The victim: R9 its byte index, R8 its state word. A free entry leaves for `take` at once, in R7 and R8.
    ///
    /// Score, greatest first: ended, closing, unanswered, and among equals the one idle for longest.
    fn choose(&mut self, family: Family, take: crate::asm::Label) {
        let chosen = frame::SCORE;
        self.asm.mov(R9, R7);
        self.asm.mov(R8, 0);
        self.asm.put_imm(Size::Double, chosen, 0);
        for way in 0..TRACK_WAYS as i32 {
            let (used, next) = (self.asm.label(), self.asm.label());
            self.asm.value(R1, MapRef::Node(family.map), 0);
            self.asm.mov(R0, R7);
            self.asm.alu(Alu::Xor, R0, way << family.entry_log2);
            self.asm.alu(Alu::Add, R1, R0);
            self.asm.load(Size::Double, R2, R1, family.state);
            self.asm.mov(R0, R2);
            self.asm.alu(Alu::Shr, R0, 32);
            self.asm.mov(R1, R0);
            self.asm.alu(Alu::And, R1, (state::LIVE | state::BUSY) as i32);
            self.asm.jump_if(Cond::Ne, R1, 0, used);
            self.asm.alu(Alu::Xor, R7, way << family.entry_log2);
            self.asm.mov(R8, R2);
            self.asm.jump(take);
            self.asm.bind(used);
            self.asm.jump_if(Cond::Ne, R1, state::LIVE as i32, next);
            self.lifetime(R0, R4, R5);
            // Age in R1, at least 0 for every clock.
            self.asm.get(Size::Double, R1, frame::NOW);
            self.asm.alu(Alu::Sub, R1, R2);
            self.asm.alu(Alu::Add, R1, SKEW);
            self.asm.mov32(R1, R1);
            self.asm.alu(Alu::Sub, R4, R1);
            self.asm.alu(Alu::Add, R4, SKEW);
            self.asm.alu(Alu::Shr, R4, 63);
            self.asm.alu(Alu::Shl, R4, 36);
            self.asm.alu(Alu::Shl, R5, 35);
            self.asm.alu(Alu::And, R0, state::ANSWERED as i32);
            self.asm.alu(Alu::Xor, R0, state::ANSWERED as i32);
            self.asm.alu(Alu::Shl, R0, 34 - state::ANSWERED.trailing_zeros() as i32);
            for part in [R4, R5, R0] {
                self.asm.alu(Alu::Or, R1, part);
            }
            self.asm.get(Size::Double, R0, chosen);
            self.asm.jump_if(Cond::Le, R1, R0, next);
            self.asm.put(Size::Double, chosen, R1);
            self.asm.mov(R8, R2);
            self.asm.mov(R9, R7);
            self.asm.alu(Alu::Xor, R9, way << family.entry_log2);
            self.asm.bind(next);
        }
    }

    /// Takes over the entry R7 with state word R8 for the key in the frame.
    fn take(&mut self, family: Family) {
        let taken = self.asm.label();
        self.next_generation();
        self.claim(family);
        self.asm.jump_if(Cond::Eq, R0, R8, taken);
        self.second_try(family, taken);
        self.asm.bind(taken);
        for word in 0..family.words {
            self.asm.get(Size::Double, R1, frame::KEY.at(word * 8));
            self.asm.store(Size::Double, R5, word * 8, R1);
        }
        self.asm.mov(R1, 1);
        self.asm.store(Size::Double, R5, family.packets, R1);
        self.live_state();
        // An exchange and no store, so that no processor sees the state before the key.
        self.asm.atomic(Atomic::Exchange, R5, family.state, R4);
    }

    /// R4 = the generation after that of R8, in place. Clobbers nothing else.
    fn next_generation(&mut self) {
        let shift = 32 + state::GENERATION_SHIFT as i32;
        self.asm.mov(R4, R8);
        self.asm.alu(Alu::Shr, R4, shift);
        self.asm.alu(Alu::Add, R4, 1);
        self.asm.alu(Alu::Shl, R4, shift);
    }

    /// Marks the entry R7 busy if its state word is still R8: R0 = R8 then. R5 = the entry. Clobbers R3.
    fn claim(&mut self, family: Family) {
        self.asm.value(R5, MapRef::Node(family.map), 0);
        self.asm.alu(Alu::Add, R5, R7);
        self.asm.constant(R3, u64::from(state::BUSY) << 32);
        self.asm.alu(Alu::Or, R3, R4);
        self.asm.mov(R0, R8);
        self.asm.atomic(Atomic::CompareExchange, R5, family.state, R3);
    }

    /// After a lost race: the first other way that is neither answered nor busy, once.
    fn second_try(&mut self, family: Family, taken: crate::asm::Label) {
        let full = self.drop(DropReason::TrackingFull);
        let again = self.asm.label();
        for way in 1..TRACK_WAYS as i32 {
            let next = self.asm.label();
            self.asm.mov(R1, R7);
            self.asm.alu(Alu::Xor, R1, way << family.entry_log2);
            self.asm.value(R5, MapRef::Node(family.map), 0);
            self.asm.alu(Alu::Add, R5, R1);
            self.asm.load(Size::Double, R8, R5, family.state);
            self.asm.mov(R2, R8);
            self.asm.alu(Alu::Shr, R2, 32);
            self.asm.alu(Alu::And, R2, (state::BUSY | state::ANSWERED) as i32);
            if way + 1 < TRACK_WAYS as i32 {
                self.asm.jump_if(Cond::Ne, R2, 0, next);
                self.asm.jump(again);
                self.asm.bind(next);
            } else {
                self.asm.jump_if(Cond::Ne, R2, 0, full);
            }
        }
        self.asm.bind(again);
        self.asm.mov(R7, R1);
        self.next_generation();
        self.claim(family);
        self.asm.jump_if(Cond::Ne, R0, R8, full);
        let _ = taken;
    }

    /// R4, a generation, becomes the state of a connection that this packet opens.
    fn live_state(&mut self) {
        const { assert!(state::TCP as i32 == facts::TCP >> 4) };
        self.asm.get(Size::Word, R1, frame::FACTS);
        self.asm.mov(R2, R1);
        self.asm.alu(Alu::And, R1, facts::FIN | facts::RST);
        self.asm.alu(Alu::Shl, R1, 4);
        self.asm.alu(Alu::And, R2, facts::TCP);
        self.asm.alu(Alu::Shr, R2, 4);
        self.asm.alu(Alu::Or, R1, R2);
        let opener = if self.outward() { state::OPENED_BY_ENDPOINT } else { 0 };
        self.asm.alu(Alu::Or, R1, (state::LIVE | opener) as i32);
        self.asm.alu(Alu::Shl, R1, 32);
        self.asm.alu(Alu::Or, R4, R1);
        self.asm.get(Size::Double, R1, frame::NOW);
        self.asm.mov32(R1, R1);
        self.asm.alu(Alu::Or, R4, R1);
    }
}
