//! Making an entry: a free way if there is one, else the one that is missed least.

use crate::asm::{Alu, Asm, Atomic, Cond, Label, Reg, Reg::*, Size};
use crate::emit::{Emit, Family, facts, frame};
use image::layout::{TRACK_WAYS, config, state};
use image::{DropReason, Exchange, MapRef, NodeMap};

/// How far two processors' clocks may be apart, in jiffies.
const SKEW: i32 = 256;

impl Emit<'_> {
    /// After an allowed decision on a tuple without entry: R7 is the home entry. Passes, or drops with `tracking-full`.
    pub fn insert(&mut self, family: Family, take: Label) {
        self.choose(family, take);
        self.asm.mov(R7, R9);
        self.asm.bind(take);
        self.take(family);
    }

    /// The victim: R9 its byte index, R8 its state word. A free entry leaves for `take` at once, in R7 and R8.
    ///
    /// The greatest score goes: closing connections, then unanswered ones and ended flows, and among equals the one idle for longest.
    fn choose(&mut self, family: Family, take: Label) {
        self.asm.mov(R9, R7);
        self.asm.alu(Alu::Xor, R9, 0);
        self.asm.mov(R8, 0);
        self.asm.put_imm(Size::Double, frame::SCORE, 0);
        self.asm.value(R1, MapRef::Node(NodeMap::Config), config::OTHER);
        self.asm.load(Size::Word, R1, R1, 0);
        self.asm.put(Size::Word, frame::LIFETIME, R1);
        for way in 0..TRACK_WAYS as i32 {
            let (used, next) = (self.asm.label(), self.asm.label());
            self.asm.value(R1, MapRef::Node(family.map), 0);
            // Also for way 0: the operation tells the verifier that R3 is no copy of R7, which would be another state for it.
            self.asm.mov(R3, R7);
            self.asm.alu(Alu::Xor, R3, way << family.entry_log2);
            self.asm.alu(Alu::Add, R1, R3);
            self.asm.load(Size::Double, R2, R1, family.state);
            self.asm.mov(R0, R2);
            self.asm.alu(Alu::Shr, R0, 32);
            self.asm.mov(R1, R0);
            self.asm.alu(Alu::And, R1, (state::LIVE | state::BUSY) as i32);
            self.asm.jump_if(Cond::Ne, R1, 0, used);
            self.asm.mov(R7, R3);
            self.asm.mov(R8, R2);
            self.asm.jump(take);
            self.asm.bind(used);
            self.asm.jump_if(Cond::Ne, R1, state::LIVE as i32, next);
            self.score();
            self.asm.get(Size::Double, R0, frame::SCORE);
            self.asm.jump_if(Cond::Le, R1, R0, next);
            self.asm.put(Size::Double, frame::SCORE, R1);
            self.asm.mov(R8, R2);
            self.asm.mov(R9, R3);
            self.asm.bind(next);
        }
    }

    /// R1 = score of a live entry with state word R2 and flags R0: its age, and bits above it. Clobbers R0, R4, R5; no jumps.
    fn score(&mut self) {
        let bit = |asm: &mut Asm, to: Reg, bit: u32| {
            asm.mov(to, R0);
            asm.alu(Alu::Shr, to, bit.trailing_zeros() as i32);
        };
        // R1: age, at least 0 for every clock.
        self.asm.get(Size::Double, R1, frame::NOW);
        self.asm.alu(Alu::Sub, R1, R2);
        self.asm.alu(Alu::Add, R1, SKEW);
        self.asm.mov32(R1, R1);
        // R5: not TCP, and beyond its lifetime.
        self.asm.get(Size::Word, R5, frame::LIFETIME);
        self.asm.alu(Alu::Add, R5, SKEW);
        self.asm.alu(Alu::Sub, R5, R1);
        self.asm.alu(Alu::Shr, R5, 63);
        bit(&mut self.asm, R4, state::TCP);
        self.asm.alu(Alu::Xor, R4, 1);
        self.asm.alu(Alu::And, R5, R4);
        // Or not answered.
        bit(&mut self.asm, R4, state::ANSWERED);
        self.asm.alu(Alu::Xor, R4, 1);
        self.asm.alu(Alu::Or, R5, R4);
        self.asm.alu(Alu::And, R5, 1);
        self.asm.alu(Alu::Shl, R5, 34);
        self.asm.alu(Alu::Or, R1, R5);
        // R4: closing.
        bit(&mut self.asm, R4, state::FIN_OPENER);
        bit(&mut self.asm, R5, state::FIN_OTHER);
        self.asm.alu(Alu::And, R4, R5);
        bit(&mut self.asm, R5, state::RESET);
        self.asm.alu(Alu::Or, R4, R5);
        self.asm.alu(Alu::And, R4, 1);
        self.asm.alu(Alu::Shl, R4, 35);
        self.asm.alu(Alu::Or, R1, R4);
    }

    /// Takes over the entry R7 with state word R8 for the key in the frame.
    fn take(&mut self, family: Family) {
        let (taken, lost) = (self.asm.label(), self.asm.label());
        match self.target.exchange {
            Exchange::Instruction => {
                self.next_generation();
                self.claim(family);
                self.asm.jump_if(Cond::Eq, R0, R8, taken);
            }
            Exchange::Lock => {
                self.claim_locked(family, lost);
                self.asm.jump(taken);
                self.asm.bind(lost);
            }
        }
        self.second_try(family);
        self.asm.bind(taken);
        if self.target.exchange == Exchange::Lock {
            // Locking left nothing in the registers.
            self.entry_address(family);
            self.next_generation();
        }
        for word in 0..family.words {
            self.asm.get(Size::Double, R1, frame::KEY.at(word * 8));
            self.asm.store(Size::Double, R5, word * 8, R1);
        }
        self.asm.mov(R1, 1);
        self.asm.store(Size::Double, R5, family.packets, R1);
        self.live_state();
        match self.target.exchange {
            // An exchange and no store, so that no processor sees the state before the key.
            Exchange::Instruction => self.asm.atomic(Atomic::Exchange, R5, family.state, R4),
            // A store: nobody else writes a busy entry, and processors of x86-64 see stores in their order.
            Exchange::Lock => self.asm.store(Size::Double, R5, family.state, R4),
        }
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
        self.entry_address(family);
        self.busy_word();
        self.asm.mov(R0, R8);
        self.asm.atomic(Atomic::CompareExchange, R5, family.state, R3);
    }

    /// Likewise under a lock; leaves for `lost` where the word is another by now. Clobbers R0 to R5.
    fn claim_locked(&mut self, family: Family, lost: Label) {
        self.exchange_locked(family, lost, |emit| {
            emit.next_generation();
            emit.busy_word();
        });
    }

    /// R3 = R4, a generation, marked busy.
    fn busy_word(&mut self) {
        self.asm.constant(R3, u64::from(state::BUSY) << 32);
        self.asm.alu(Alu::Or, R3, R4);
    }

    /// After a lost race: one other way, the one in the same cache line, if it is neither answered nor busy.
    fn second_try(&mut self, family: Family) {
        let full = self.drop(DropReason::TrackingFull);
        self.asm.alu(Alu::Xor, R7, 1 << family.entry_log2);
        self.entry_address(family);
        self.asm.load(Size::Double, R8, R5, family.state);
        self.asm.mov(R2, R8);
        self.asm.alu(Alu::Shr, R2, 32);
        self.asm.alu(Alu::And, R2, (state::BUSY | state::ANSWERED) as i32);
        self.asm.jump_if(Cond::Ne, R2, 0, full);
        match self.target.exchange {
            Exchange::Instruction => {
                self.next_generation();
                self.claim(family);
                self.asm.jump_if(Cond::Ne, R0, R8, full);
            }
            Exchange::Lock => self.claim_locked(family, full),
        }
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
