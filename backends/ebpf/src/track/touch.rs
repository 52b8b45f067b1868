//! Keeping a live entry up to date, with as few writes as possible.

use crate::asm::{Alu, Atomic, Cond, Reg::*, Size};
use crate::emit::{Emit, Family, facts, frame};
use image::layout::{config, state};
use image::{Exchange, MapRef, NodeMap};

impl Emit<'_> {
    /// R9 = flags that a packet from the opener adds. Clobbers R1.
    pub fn forward_flags(&mut self) {
        const { assert!(state::FIN_OPENER as i32 == facts::FIN << 4 && state::RESET as i32 == facts::RST << 4) };
        self.asm.get(Size::Word, R9, frame::FACTS);
        self.asm.alu(Alu::And, R9, facts::FIN | facts::RST);
        self.asm.alu(Alu::Shl, R9, 4);
    }

    /// R9 = flags that a packet from the other side adds. Clobbers R1.
    pub fn reply_flags(&mut self) {
        const { assert!(state::FIN_OTHER as i32 == facts::FIN << 5) };
        self.asm.get(Size::Word, R9, frame::FACTS);
        self.asm.mov(R1, R9);
        self.asm.alu(Alu::And, R9, facts::RST);
        self.asm.alu(Alu::Shl, R9, 4);
        self.asm.alu(Alu::And, R1, facts::FIN);
        self.asm.alu(Alu::Shl, R1, 5);
        self.asm.alu(Alu::Or, R9, R1);
        self.asm.alu(Alu::Or, R9, state::ANSWERED as i32);
    }

    /// Adds the flags R9 to the entry R7 whose state word was R8, and passes the packet.
    ///
    /// The word is written when flags change, or when its time is older than a 64th of the lifetime of other flows: about a second.
    /// When another processor changes it at the same moment, theirs stands; the next packet tries again.
    pub fn touch(&mut self, family: Family) {
        let (write, done) = (self.asm.label(), self.asm.label());
        self.entry_address(family);
        self.asm.mov(R3, R8);
        self.asm.alu(Alu::Shr, R3, 32);
        self.asm.alu(Alu::Or, R9, R3);
        self.asm.get(Size::Double, R2, frame::NOW);
        self.asm.jump_if(Cond::Ne, R9, R3, write);
        self.asm.value(R1, MapRef::Node(NodeMap::Config), config::OTHER);
        self.asm.load(Size::Word, R1, R1, 0);
        self.asm.alu(Alu::Shr, R1, 6);
        self.asm.mov(R4, R2);
        self.asm.alu(Alu::Sub, R4, R8);
        let fresh = done;
        self.asm.alu(Alu::Shl, R4, 32);
        self.asm.alu(Alu::Sar, R4, 32);
        self.asm.jump_if(Cond::Sgt, R1, R4, fresh);
        self.asm.bind(write);
        match self.target.exchange {
            Exchange::Instruction => {
                self.asm.mov32(R2, R2);
                self.asm.alu(Alu::Shl, R9, 32);
                self.asm.alu(Alu::Or, R2, R9);
                self.asm.mov(R0, R8);
                self.asm.atomic(Atomic::CompareExchange, R5, family.state, R2);
                self.asm.bind(done);
            }
            Exchange::Lock => {
                self.exchange_locked(family, done, |emit| {
                    emit.asm.get(Size::Double, R3, frame::NOW);
                    emit.asm.mov32(R3, R3);
                    emit.asm.mov(R4, R9);
                    emit.asm.alu(Alu::Shl, R4, 32);
                    emit.asm.alu(Alu::Or, R3, R4);
                });
                self.asm.bind(done);
                self.entry_address(family);
            }
        }
        self.asm.load(Size::Double, R1, R5, family.packets);
        self.asm.alu(Alu::Add, R1, 1);
        self.asm.store(Size::Double, R5, family.packets, R1);
        let pass = self.pass;
        self.asm.jump(pass);
    }
}
