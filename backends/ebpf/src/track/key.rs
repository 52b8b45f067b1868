//! The key of a connection in canonical order, and the set of the table that it belongs to.

use crate::asm::{Alu, Base, Cond, Reg, Reg::*, Size};
use crate::emit::{Emit, Family, V4, V6, frame};
use image::layout::{self, config, record};
use image::{MapRef, NodeMap};

/// Odd constants of the mixing steps: fractions of the golden ratio and of the roots of 2 and 3.
const MIX: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xb504_f333_f9de_6485, 0xbb67_ae85_84ca_a73b];

impl Emit<'_> {
    /// Key and index of an IPv4 tuple: R1 source, R2 destination, R3 and R4 ports, R5 protocol.
    ///
    /// Leaves the key in [`frame::KEY`] and R8, R9, the byte index of the home entry in R7.
    pub fn key4(&mut self) {
        use layout::track4 as at;
        self.common_facts(V4);
        // S and D are (address, port) as 48-bit numbers; the sign of their difference says which is the lesser, without a jump.
        for (number, address, port) in [(R8, R1, R3), (R9, R2, R4)] {
            self.asm.mov(number, address);
            self.asm.swap(number, 32);
            self.asm.alu(Alu::Shl, number, 16);
            self.asm.mov(R0, port);
            self.asm.swap(R0, 16);
            self.asm.alu(Alu::Or, number, R0);
        }
        self.asm.alu(Alu::Sub, R9, R8);
        self.asm.alu(Alu::Sar, R9, 63);
        for (a, b) in [(R1, R2), (R3, R4)] {
            self.asm.mov(R0, a);
            self.asm.alu(Alu::Xor, R0, b);
            self.asm.alu(Alu::And, R0, R9);
            self.asm.alu(Alu::Xor, a, R0);
            self.asm.alu(Alu::Xor, b, R0);
        }
        self.join(R1, &[(R1, at::ADDRESS_A, 4), (R2, at::ADDRESS_B, 4)]);
        self.last_word(&[(R3, at::PORT_A, 2), (R4, at::PORT_B, 2), (R5, at::PROTOCOL, 1)], at::ENDPOINT);
        self.asm.mov(R8, R1);
        self.asm.mov(R9, R3);
        self.asm.put(Size::Double, frame::KEY, R8);
        self.asm.put(Size::Double, frame::KEY.at(8), R9);
        self.index(V4, self.target.track4_sets_log2, &[R8, R9]);
    }

    /// Key and index of an IPv6 tuple: R1 and R2 point at source and destination, R3 and R4 ports, R5 protocol.
    ///
    /// Leaves the key in [`frame::KEY`], its last word in R9, the byte index of the home entry in R7.
    pub fn key6(&mut self) {
        use layout::track6 as at;
        self.common_facts(V6);
        let (swap, straight, done) = (self.asm.label(), self.asm.label(), self.asm.label());
        for half in [0i16, 8] {
            self.asm.load(Size::Double, R8, Base::Reg(R1), half);
            self.asm.load(Size::Double, R9, Base::Reg(R2), half);
            self.asm.swap(R8, 64);
            self.asm.swap(R9, 64);
            self.asm.jump_if(Cond::Gt, R8, R9, swap);
            self.asm.jump_if(Cond::Ne, R8, R9, straight);
        }
        self.asm.mov(R8, R3);
        self.asm.mov(R9, R4);
        self.asm.swap(R8, 16);
        self.asm.swap(R9, 16);
        self.asm.jump_if(Cond::Le, R8, R9, straight);
        for (label, a, b) in [(swap, R2, R1), (straight, R1, R2)] {
            self.asm.bind(label);
            for (to, from, half) in [(0, a, 0i16), (8, a, 8), (16, b, 0), (24, b, 8)] {
                self.asm.load(Size::Double, R8, Base::Reg(from), half);
                self.asm.put(Size::Double, frame::KEY.at(to), R8);
            }
            if label == swap {
                self.asm.mov(R8, R3);
                self.asm.mov(R3, R4);
                self.asm.mov(R4, R8);
                self.asm.jump(done);
            }
        }
        self.asm.bind(done);
        self.last_word(&[(R3, at::PORT_A, 2), (R4, at::PORT_B, 2), (R5, at::PROTOCOL, 1)], at::ENDPOINT);
        self.asm.mov(R9, R3);
        self.asm.put(Size::Double, frame::KEY.at(32), R9);
        for (at, register) in [(0, R1), (8, R2), (16, R3), (24, R4)] {
            self.asm.get(Size::Double, register, frame::KEY.at(at));
        }
        self.index(V6, self.target.track6_sets_log2, &[R1, R2, R3, R4, R9]);
    }

    /// What every tracked packet's record says. Clobbers R0.
    pub fn common_facts(&mut self, family: Family) {
        self.subject_number(R0);
        self.asm.put(Size::Word, self.record(record::ENDPOINT), R0);
        self.asm.put_imm(Size::Byte, self.record(record::FAMILY), family.number);
    }

    /// Joins fields of one eight-byte word into a register, which may be the first field's.
    fn join(&mut self, into: Reg, fields: &[(Reg, u32, u32)]) {
        for &(register, offset, bytes) in fields {
            let shift = self.shift_of(offset, bytes);
            if shift > 0 {
                self.asm.alu(Alu::Shl, register, shift);
            }
            if register != into {
                self.asm.alu(Alu::Or, into, register);
            }
        }
    }

    /// The word of ports, protocol and endpoint in the first field's register.
    fn last_word(&mut self, fields: &[(Reg, u32, u32)], endpoint_at: u32) {
        self.join(fields[0].0, fields);
        self.subject_number(R0);
        // The number is at most 65,535; the shift drops what a damaged map might hold above on one byte order,
        // and the mask does on the other.
        self.asm.alu(Alu::And, R0, 0xffff);
        self.join(fields[0].0, &[(R0, endpoint_at, 2)]);
    }

    /// R7 = byte index of the home entry: a seeded hash of the words. Clobbers R0 and R5.
    fn index(&mut self, family: Family, sets_log2: u8, words: &[Reg]) {
        self.asm.value(R7, MapRef::Node(NodeMap::Config), config::SEED);
        self.asm.load(Size::Word, R7, R7, 0);
        self.asm.constant(R0, MIX[0]);
        self.asm.alu(Alu::Mul, R7, R0);
        for (at, word) in words.iter().enumerate() {
            self.asm.alu(Alu::Xor, R7, *word);
            self.asm.constant(R0, MIX[(at + 1) % MIX.len()]);
            self.asm.alu(Alu::Mul, R7, R0);
            self.asm.mov(R0, R7);
            self.asm.alu(Alu::Shr, R0, 32);
            self.asm.alu(Alu::Xor, R7, R0);
        }
        self.asm.constant(R0, MIX[0]);
        self.asm.alu(Alu::Mul, R7, R0);
        let ways_log2 = layout::TRACK_WAYS.trailing_zeros() as i32;
        self.asm.alu(Alu::Shr, R7, 64 - i32::from(sets_log2) - ways_log2);
        self.asm.alu(Alu::Shl, R7, family.entry_log2);
    }
}
