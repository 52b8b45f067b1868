//! ICMP over IPv4: queries are connections keyed by their identifier, errors belong to the connection of the packet inside them.

use super::general4::General;
use crate::asm::{Alu, Cond, Label, Reg, Reg::*, Size};
use crate::emit::{Emit, facts, frame};
use image::layout::record;

/// Message types, RFC 792.
const ECHO_REPLY: i32 = 0;
const UNREACHABLE: i32 = 3;
const ECHO_REQUEST: i32 = 8;
const TIME_EXCEEDED: i32 = 11;
const PARAMETER_PROBLEM: i32 = 12;
/// The code of [`UNREACHABLE`] that path MTU discovery lives on; it always passes.
const FRAGMENTATION_NEEDED: i32 = 4;

impl Emit<'_> {
    /// R8 = an ICMP message.
    pub fn icmp4(&mut self, to: &General, truncated: Label) {
        let (request, reply, error) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.message(1, truncated);
        for (kind, label) in [
            (ECHO_REQUEST, request),
            (ECHO_REPLY, reply),
            (UNREACHABLE, error),
            (TIME_EXCEEDED, error),
            (PARAMETER_PROBLEM, error),
        ] {
            self.asm.jump_if(Cond::Eq, R1, kind, label);
        }
        self.asm.jump(to.judge4);
        // A code other than 0 is no echo, and then its identifier names nothing.
        self.asm.bind(request);
        self.asm.jump_if(Cond::Ne, R2, 0, to.judge4);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::REQUEST);
        self.query(R3, R4);
        self.go_to_ports(to.tuple4);
        self.asm.bind(reply);
        self.asm.jump_if(Cond::Ne, R2, 0, to.judge4);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::NO_INSERT);
        self.query(R4, R3);
        self.go_to_ports(to.tuple4);
        self.asm.bind(error);
        let inner = self.asm.label();
        self.asm.jump_if(Cond::Ne, R1, UNREACHABLE, inner);
        let pass = self.pass;
        self.asm.jump_if(Cond::Eq, R2, FRAGMENTATION_NEEDED, pass);
        self.asm.bind(inner);
        self.inner4(to);
    }

    /// Type into R1, code into R2, both into the L4 key of the record.
    pub fn message(&mut self, protocol: i32, truncated: Label) {
        self.within(8, truncated);
        self.asm.load(Size::Byte, R1, R8, 0);
        self.asm.load(Size::Byte, R2, R8, 1);
        self.asm.mov(R3, R1);
        self.asm.alu(Alu::Shl, R3, 8);
        self.asm.alu(Alu::Or, R3, R2);
        self.asm.alu(Alu::Or, R3, protocol << 16);
        self.asm.put(Size::Word, self.record(record::L4_KEY), R3);
    }

    /// The ports of a query: the identifier for the side that asks, 0 for the other.
    ///
    /// The zero is computed from the packet so that the verifier does not take it for a constant and explore the rest twice.
    pub fn query(&mut self, asking: Reg, other: Reg) {
        self.asm.load(Size::Half, asking, R8, 4);
        self.asm.load(Size::Half, other, R8, 4);
        self.asm.alu(Alu::Sub, other, asking);
        self.asm.alu(Alu::And, other, 0xffff);
    }

    /// The packet inside an error: its tuple, if it was sent by whom the error goes to.
    fn inner4(&mut self, to: &General) {
        let unrelated = to.judge4;
        self.within(8 + 20, unrelated);
        self.asm.load(Size::Byte, R5, R8, 8);
        self.asm.mov(R1, R5);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 4, unrelated);
        self.asm.alu(Alu::And, R5, 15);
        self.asm.alu(Alu::Shl, R5, 2);
        self.asm.jump_if(Cond::Lt, R5, 20, unrelated);
        let offset_bits = self.raw16(0x1fff);
        self.asm.load(Size::Half, R1, R8, 8 + 6);
        self.asm.alu(Alu::And, R1, offset_bits);
        self.asm.jump_if(Cond::Ne, R1, 0, unrelated);
        // R0: source, kept while R8 moves on.
        self.asm.load(Size::Word, R0, R8, 8 + 12);
        self.asm.get(Size::Word, R1, self.record(record::DESTINATION));
        self.asm.jump_if(Cond::Ne, R0, R1, unrelated);
        self.asm.load(Size::Word, R1, R8, 8 + 16);
        if self.checks_source() {
            self.asm.get(Size::Word, R2, self.record(record::SOURCE));
            self.asm.jump_if(Cond::Ne, R1, R2, unrelated);
        }
        if self.has_origin() {
            self.asm.get(Size::Word, R2, self.record(record::SOURCE));
            self.asm.alu(Alu::Xor, R2, R1);
            self.asm.put(Size::Double, frame::ABOUT, R2);
        }
        self.asm.load(Size::Byte, R3, R8, 8 + 9);
        self.asm.put(Size::Byte, frame::PROTOCOL, R3);
        self.asm.alu(Alu::Add, R5, 8);
        self.inner_starts(unrelated);
        self.inner_ports(1, &[(ECHO_REQUEST, true), (ECHO_REPLY, false)], unrelated);
        self.about_forwarded();
        self.asm.mov(R2, R1);
        self.asm.mov(R1, R0);
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(to.tuple4);
    }

    /// Passes an error from the node about a packet that was not for where the error comes from. Clobbers R2.
    pub fn about_forwarded(&mut self) {
        if self.has_origin() {
            let skip = self.skip;
            self.asm.get(Size::Double, R2, frame::ABOUT);
            self.asm.jump_if(Cond::Ne, R2, 0, skip);
        }
    }

    /// R8 on by R5 to the inner transport header, of which eight bytes must be there. Clobbers R2 and R4.
    pub fn inner_starts(&mut self, unrelated: Label) {
        self.asm.get(Size::Word, R2, frame::PAYLOAD);
        self.asm.mov(R4, R5);
        self.asm.alu(Alu::Add, R4, 8);
        self.asm.jump_if(Cond::Gt, R4, R2, unrelated);
        self.asm.alu(Alu::Add, R8, R5);
        self.need(8, unrelated);
    }

    /// Ports of the inner transport header at R8 into R3 and R4; R3 is its protocol before. Clobbers R2 and R5; keeps R0 and R1.
    pub fn inner_ports(&mut self, icmp: i32, queries: &[(i32, bool)], unrelated: Label) {
        let (ports, known, request, reply) = (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.put_imm(Size::Word, frame::FACTS, facts::RELATED | facts::NO_INSERT);
        for protocol in [6, 17, 132] {
            self.asm.jump_if(Cond::Eq, R3, protocol, ports);
        }
        self.asm.jump_if(Cond::Ne, R3, icmp, unrelated);
        self.asm.load(Size::Byte, R5, R8, 1);
        self.asm.jump_if(Cond::Ne, R5, 0, unrelated);
        self.asm.load(Size::Byte, R5, R8, 0);
        for &(kind, asks) in queries {
            self.asm.jump_if(Cond::Eq, R5, kind, if asks { request } else { reply });
        }
        self.asm.jump(unrelated);
        self.asm.bind(request);
        self.query(R3, R4);
        self.asm.jump(known);
        self.asm.bind(reply);
        self.query(R4, R3);
        self.asm.jump(known);
        self.asm.bind(ports);
        self.asm.load(Size::Half, R3, R8, 0);
        self.asm.load(Size::Half, R4, R8, 2);
        self.asm.bind(known);
    }
}
