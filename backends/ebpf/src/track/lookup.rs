//! Finding a tuple's entry among the eight ways of its set.

use crate::asm::{Alu, Asm, Base, Cond, Helper, Label, Reg, Reg::*, Size};
use crate::emit::{Emit, Family, V4, V6, facts, frame, outcome};
use image::layout::{TRACK_WAYS, config, state};
use image::{MapRef, NodeMap};

/// Where tracking goes on.
pub(crate) struct Exits {
    /// The decision: R7 entry, R8 state, R9 outcome.
    pub judge: Label,
    /// An entry to keep up to date, R9 being the flags to add.
    pub touch: Label,
}

impl Emit<'_> {
    /// IPv4: from the registers of [`Emit::key4`] to the exits.
    pub fn track4(&mut self, exits: &Exits) {
        self.key4();
        self.track(V4, exits);
    }

    /// IPv6, likewise.
    pub fn track6(&mut self, exits: &Exits) {
        self.key6();
        self.track(V6, exits);
    }

    fn track(&mut self, family: Family, exits: &Exits) {
        self.asm.call(Helper::Jiffies64);
        self.asm.put(Size::Double, frame::NOW, R0);
        let (found, miss) = (self.asm.label(), self.asm.label());
        // The way is the home way XOR n, so that the second one tried shares the first one's cache line.
        for way in 0..TRACK_WAYS as i32 {
            let next = self.asm.label();
            self.asm.mov(R3, R7);
            if way > 0 {
                self.asm.alu(Alu::Xor, R3, way << family.entry_log2);
            }
            self.asm.value(R2, MapRef::Node(family.map), 0);
            self.asm.alu(Alu::Add, R2, R3);
            self.asm.load(Size::Double, R1, R2, family.state);
            if family == V4 {
                same(&mut self.asm, 0, R8, next);
                same(&mut self.asm, 8, R9, next);
            } else {
                same(&mut self.asm, 32, R9, next);
                for at in [24, 8, 16, 0] {
                    self.asm.get(Size::Double, R5, frame::KEY.at(at));
                    same(&mut self.asm, at, R5, next);
                }
            }
            same(&mut self.asm, family.state, R1, next);
            if way + 1 < TRACK_WAYS as i32 {
                self.asm.jump(found);
                self.asm.bind(next);
            } else {
                // The last way falls through to `found`, or goes on to `miss`.
                self.asm.bind(found);
                self.found(exits, miss);
                self.asm.bind(next);
            }
        }
        self.asm.bind(miss);
        self.not_found(exits, outcome::MISS);
    }

    /// An entry with the right key: byte index R3, state word R1, jiffies R0.
    fn found(&mut self, exits: &Exits, miss: Label) {
        let (stale, open) = (self.asm.label(), self.asm.label());
        self.asm.mov(R7, R3);
        self.asm.mov(R8, R1);
        self.asm.mov(R9, R1);
        self.asm.alu(Alu::Shr, R9, 32);
        self.asm.mov(R3, R9);
        self.asm.alu(Alu::And, R3, (state::LIVE | state::BUSY) as i32);
        self.asm.jump_if(Cond::Ne, R3, state::LIVE as i32, miss);
        self.lifetime(R9, R4, R5);
        self.asm.mov(R2, R0);
        self.asm.alu(Alu::Sub, R2, R8);
        // Signed: another processor's clock may be one tick ahead of ours.
        self.asm.jump_if32(Cond::Sgt, R2, R4, stale);
        self.asm.get(Size::Word, R1, frame::FACTS);
        // A SYN on a closing connection opens a new one: R5 is 1 for a closing one.
        self.asm.jump_if(Cond::Eq, R5, 0, open);
        self.asm.mov(R2, R1);
        self.asm.alu(Alu::And, R2, facts::SYN | facts::ACK);
        self.asm.jump_if(Cond::Eq, R2, facts::SYN, stale);
        self.asm.bind(open);
        let pass = self.pass;
        self.asm.mov(R2, R1);
        self.asm.alu(Alu::And, R2, facts::RELATED);
        self.asm.jump_if(Cond::Ne, R2, 0, pass);
        self.asm.mov(R2, R9);
        self.asm.alu(Alu::And, R2, state::OPENED_BY_ENDPOINT as i32);
        // From its opener: judged. Otherwise a reply.
        let reply = self.asm.label();
        self.asm.jump_if(if self.outward() { Cond::Eq } else { Cond::Ne }, R2, 0, reply);
        // What never opens a connection does not go its opener's way either.
        let stray = self.asm.label();
        self.asm.mov(R2, R1);
        self.asm.alu(Alu::And, R2, facts::NO_INSERT);
        self.asm.jump_if(Cond::Ne, R2, 0, stray);
        if self.decides() {
            // R9 holds the flags of a live entry, which say FORWARD to the decision.
            const { assert!(state::LIVE as i32 == outcome::FORWARD) };
            self.asm.jump(exits.judge);
        } else {
            self.forward_flags();
            self.asm.jump(exits.touch);
        }

        self.asm.bind(reply);
        // What asks is never an answer: both sides may use the identifier 0.
        let answer = self.asm.label();
        self.asm.mov(R2, R1);
        self.asm.alu(Alu::And, R2, facts::REQUEST);
        self.asm.jump_if(Cond::Eq, R2, 0, answer);
        self.asm.bind(stray);
        self.asm.mov(R9, outcome::UNTRACKED);
        self.asm.jump(exits.judge);
        self.asm.bind(answer);
        self.reply_flags();
        self.asm.jump(exits.touch);

        self.asm.bind(stale);
        self.not_found(exits, outcome::STALE);
    }

    /// To the decision without an entry to keep; what never opens a connection is not tracked.
    fn not_found(&mut self, exits: &Exits, outcome: i32) {
        let insertable = self.asm.label();
        self.asm.mov(R9, outcome);
        self.asm.get(Size::Word, R1, frame::FACTS);
        self.asm.alu(Alu::And, R1, facts::NO_INSERT);
        self.asm.jump_if(Cond::Eq, R1, 0, insertable);
        self.asm.mov(R9, outcome::UNTRACKED);
        self.asm.bind(insertable);
        self.asm.jump(exits.judge);
    }

    /// Whether packets of a known connection need a decision.
    pub fn decides(&self) -> bool {
        self.plan != &image::DirectionPlan::Constant(image::layout::LEAF_ALLOW)
    }

    /// `life` = lifetime in jiffies for the flags, `closing` = 1 for a connection that ends. Clobbers R1 and R3; no jumps.
    ///
    /// The lifetimes stand in `tg_config` as established, opening, closing, other; the index is computed.
    pub fn lifetime(&mut self, flags: Reg, life: Reg, closing: Reg) {
        let bit = |asm: &mut Asm, to: Reg, bit: u32| {
            asm.mov(to, flags);
            asm.alu(Alu::Shr, to, bit.trailing_zeros() as i32);
        };
        // closing = reset or (both FIN)
        bit(&mut self.asm, closing, state::FIN_OPENER);
        bit(&mut self.asm, R3, state::FIN_OTHER);
        self.asm.alu(Alu::And, closing, R3);
        bit(&mut self.asm, R3, state::RESET);
        self.asm.alu(Alu::Or, closing, R3);
        self.asm.alu(Alu::And, closing, 1);
        // index = 3 - tcp * (2 + answered): 0 established, 1 opening, 3 other
        bit(&mut self.asm, life, state::ANSWERED);
        self.asm.alu(Alu::And, life, 1);
        self.asm.alu(Alu::Add, life, 2);
        bit(&mut self.asm, R3, state::TCP);
        self.asm.alu(Alu::And, R3, 1);
        self.asm.alu(Alu::Mul, life, R3);
        self.asm.mov(R3, 3);
        self.asm.alu(Alu::Sub, R3, life);
        // index += (2 - index) * closing
        self.asm.mov(R1, 2);
        self.asm.alu(Alu::Sub, R1, R3);
        self.asm.alu(Alu::Mul, R1, closing);
        self.asm.alu(Alu::Add, R3, R1);
        self.asm.alu(Alu::And, R3, 3);
        self.asm.alu(Alu::Shl, R3, 2);
        self.asm.value(R1, MapRef::Node(NodeMap::Config), config::TCP_ESTABLISHED);
        self.asm.alu(Alu::Add, R1, R3);
        self.asm.load(Size::Word, life, R1, 0);
    }
}

/// Leaves for `other` unless eight bytes of the entry at R2 are the register's. Clobbers R4.
fn same(asm: &mut Asm, offset: u32, register: Reg, other: Label) {
    asm.load(Size::Double, R4, Base::Reg(R2), offset);
    asm.jump_if(Cond::Ne, R4, register, other);
}
