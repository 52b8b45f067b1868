//! IPv6 on the general path: extension headers, fragments, and every reason to drop.

use super::general4::General;
use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, frame, skb};
use image::DropReason;
use image::layout::{endpoint, fragment, record};

/// Next-header numbers that lead on to another header: RFC 8200 section 4, RFC 4302.
const HOP_BY_HOP: i32 = 0;
const ROUTING: i32 = 43;
const FRAGMENT: i32 = 44;
const AUTHENTICATION: i32 = 51;
const DESTINATION: i32 = 60;
/// How many extension headers are walked.
const HEADERS: usize = 8;
/// Bits that a header's length may have: it is a multiple of four, at most 2048.
const LENGTH_BITS: i32 = 0xffc;
/// In [`frame::FRAGMENT_FIELD`], that there was a fragment header; its own 16 bits are below.
const MET: i32 = 1 << 16;
/// Or that there was none: not zero, which the verifier would tell from other numbers.
const NOT_MET: i32 = 1 << 17;

impl Emit<'_> {
    /// From R8, the frame, to one of the exits.
    pub fn general6(&mut self, to: &General) {
        let truncated = self.drop(DropReason::Truncated);
        let (upper, later) = (self.asm.label(), self.asm.label());
        self.need(14 + 40, truncated);
        self.lengths6(truncated);
        self.addresses6();
        self.asm.load(Size::Byte, R1, R8, 20);
        self.asm.put(Size::Byte, frame::PROTOCOL, R1);
        self.asm.load(Size::Byte, R1, R8, 21);
        self.asm.put(Size::Byte, frame::HOP_LIMIT, R1);
        self.asm.put_imm(Size::Word, frame::FRAGMENT_FIELD, NOT_MET);
        self.asm.put_imm(Size::Word, frame::IDENTIFICATION, -1);
        // To the verifier even the fixed header is of unknown length, so that the packet pointer is of one kind from here on.
        self.asm.put_imm(Size::Word, frame::LENGTH, 40);
        self.asm.alu(Alu::Add, R8, 14);
        self.move_on();
        self.extension_headers(upper, later, truncated);
        self.asm.bind(upper);
        let (whole, message) = (self.asm.label(), self.asm.label());
        self.asm.get(Size::Word, R1, frame::FRAGMENT_FIELD);
        self.asm.alu(Alu::And, R1, MET - 1);
        self.asm.jump_if(Cond::Eq, R1, 0, whole);
        self.fragment_key6();
        self.first_fragment(6, 58);
        self.asm.bind(whole);
        self.transport(58, to.ports6, truncated);
        self.asm.jump(message);
        self.asm.bind(later);
        self.fragment_key6();
        self.later_fragment(6, 58, to.ports6);
        self.icmp6(to, message, truncated);
    }

    /// Checks version and length; the bytes after the fixed header in [`frame::PAYLOAD`].
    fn lengths6(&mut self, truncated: Label) {
        let malformed = self.drop(DropReason::MalformedHeader);
        let known = self.asm.label();
        self.asm.load(Size::Byte, R1, R8, 14);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 6, malformed);
        self.asm.load(Size::Word, R2, R6, skb::LEN);
        self.asm.alu(Alu::Sub, R2, 54);
        self.asm.load(Size::Half, R1, R8, 18);
        self.asm.swap(R1, 16);
        self.asm.jump_if(Cond::Ne, R1, 0, known);
        // Segments of more than 65,535 bytes, made on this machine, say 0.
        self.asm.jump_if(Cond::Le, R2, 0xffff, known);
        self.asm.mov(R1, R2);
        self.asm.bind(known);
        self.asm.jump_if(Cond::Gt, R1, R2, truncated);
        self.asm.put(Size::Word, frame::PAYLOAD, R1);
    }

    /// Notes the addresses. From the endpoint, the source is its own, or one that neighbour discovery may have: unspecified, link-local.
    fn addresses6(&mut self) {
        self.asm.put_imm(Size::Byte, self.record(record::FAMILY), 6);
        self.copy_addresses6();
        if !self.checks_source() {
            return;
        }
        let invalid = self.drop(DropReason::InvalidSource);
        let (other, local, on_link, known) = (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.put_imm(Size::Byte, frame::ON_LINK, 0);
        self.own_source6(other);
        self.asm.jump(known);
        self.asm.bind(other);
        self.asm.get(Size::Double, R1, self.record(record::SOURCE));
        self.asm.get(Size::Double, R2, self.record(record::SOURCE).at(8));
        self.asm.jump_if(Cond::Ne, R1, 0, local);
        self.asm.jump_if(Cond::Eq, R2, 0, on_link);
        self.asm.bind(local);
        self.asm.load(Size::Half, R1, R8, 22);
        self.asm.swap(R1, 16);
        self.asm.alu(Alu::And, R1, 0xffc0);
        self.asm.jump_if(Cond::Ne, R1, 0xfe80, invalid);
        self.asm.bind(on_link);
        self.asm.put_imm(Size::Byte, frame::ON_LINK, 1);
        self.asm.bind(known);
    }

    /// Copies both addresses from the packet R8 into the record. Clobbers R1.
    pub fn copy_addresses6(&mut self) {
        for (to, from) in [(record::SOURCE, 22), (record::DESTINATION, 38)] {
            for half in [0, 8] {
                self.asm.load(Size::Double, R1, R8, from + half as i16);
                self.asm.put(Size::Double, self.record(to).at(half), R1);
            }
        }
    }

    /// Leaves for `other` unless the source in the record is the endpoint's, and the endpoint has one. Clobbers R1 to R3.
    pub fn own_source6(&mut self, other: Label) {
        for (register, half) in [(R2, 0), (R3, 8)] {
            self.asm.get(Size::Double, R1, self.record(record::SOURCE).at(half));
            self.asm.load(Size::Double, register, R7, endpoint::ADDRESS6 + half);
            self.asm.jump_if(Cond::Ne, R1, register, other);
        }
        self.asm.alu(Alu::Or, R2, R3);
        self.asm.jump_if(Cond::Eq, R2, 0, other);
    }

    /// Walks extension headers from R8 on until one is none: R8 and [`frame::PROTOCOL`] are the upper header's.
    ///
    /// Fall-through is always "one more header", so that the verifier meets the most distant upper header first; all nearer ones
    /// are then cases of it.
    fn extension_headers(&mut self, upper: Label, later: Label, truncated: Label) {
        let refused = self.drop(DropReason::Ipv6Headers);
        for _ in 0..HEADERS {
            let (one_more, fragment, authentication, on) =
                (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
            self.asm.get(Size::Byte, R1, frame::PROTOCOL);
            for header in [HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION] {
                self.asm.jump_if(Cond::Eq, R1, header, one_more);
            }
            self.asm.jump_if(Cond::Ne, R1, FRAGMENT, upper);
            self.asm.bind(one_more);
            self.within(8, truncated);
            self.asm.get(Size::Byte, R1, frame::PROTOCOL);
            self.asm.jump_if(Cond::Eq, R1, FRAGMENT, fragment);
            self.asm.jump_if(Cond::Eq, R1, AUTHENTICATION, authentication);
            self.routing(refused);
            self.length(1, 3);
            self.asm.jump(on);
            self.asm.bind(authentication);
            self.length(2, 2);
            self.asm.jump(on);
            self.asm.bind(fragment);
            self.fragment_header(refused, later);
            self.asm.bind(on);
            self.advance(truncated);
        }
        self.asm.get(Size::Byte, R1, frame::PROTOCOL);
        for header in [HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, FRAGMENT] {
            self.asm.jump_if(Cond::Eq, R1, header, refused);
        }
    }

    /// A routing header with segments left (its fourth byte, RFC 8200 section 4.4) hides where the packet goes. R1 is the header's kind.
    fn routing(&mut self, refused: Label) {
        let done = self.asm.label();
        self.asm.jump_if(Cond::Ne, R1, ROUTING, done);
        self.asm.load(Size::Byte, R1, R8, 3);
        self.asm.jump_if(Cond::Ne, R1, 0, refused);
        self.asm.bind(done);
    }

    /// Notes the length of the header at R8: its length field and `more`, in units of two to the power of `shift`.
    fn length(&mut self, more: i32, shift: i32) {
        self.asm.load(Size::Byte, R1, R8, 1);
        self.asm.alu(Alu::Add, R1, more);
        self.asm.alu(Alu::Shl, R1, shift);
        self.asm.put(Size::Word, frame::LENGTH, R1);
    }

    /// R8 on by [`frame::LENGTH`], which went through memory: to the verifier all headers are equally long.
    fn advance(&mut self, truncated: Label) {
        self.asm.get(Size::Word, R2, frame::LENGTH);
        self.asm.alu(Alu::And, R2, LENGTH_BITS);
        self.asm.get(Size::Word, R1, frame::PAYLOAD);
        self.asm.jump_if(Cond::Gt, R2, R1, truncated);
        self.asm.alu(Alu::Sub, R1, R2);
        self.asm.put(Size::Word, frame::PAYLOAD, R1);
        self.asm.load(Size::Byte, R1, R8, 0);
        self.asm.put(Size::Byte, frame::PROTOCOL, R1);
        self.move_on();
    }

    /// R8 on by [`frame::LENGTH`]. Clobbers R2.
    fn move_on(&mut self) {
        self.asm.get(Size::Word, R2, frame::LENGTH);
        self.asm.alu(Alu::And, R2, LENGTH_BITS);
        self.asm.alu(Alu::Add, R8, R2);
    }

    /// A fragment header at R8. A whole datagram in one fragment (RFC 6946) goes on as if there were none; a later fragment leaves.
    fn fragment_header(&mut self, refused: Label, later: Label) {
        let whole = self.asm.label();
        self.asm.put_imm(Size::Word, frame::LENGTH, 8);
        self.asm.get(Size::Word, R1, frame::FRAGMENT_FIELD);
        self.asm.alu(Alu::And, R1, MET);
        self.asm.jump_if(Cond::Ne, R1, 0, refused);
        self.asm.load(Size::Half, R3, R8, 2);
        self.asm.swap(R3, 16);
        self.asm.alu(Alu::And, R3, 0xfff9);
        self.asm.mov(R1, R3);
        self.asm.alu(Alu::Or, R1, MET);
        self.asm.put(Size::Word, frame::FRAGMENT_FIELD, R1);
        self.asm.jump_if(Cond::Eq, R3, 0, whole);
        self.asm.load(Size::Word, R1, R8, 4);
        self.asm.put(Size::Word, frame::IDENTIFICATION, R1);
        self.asm.load(Size::Byte, R1, R8, 0);
        self.asm.put(Size::Byte, frame::PROTOCOL, R1);
        self.asm.alu(Alu::Shr, R3, 3);
        self.asm.jump_if(Cond::Ne, R3, 0, later);
        self.asm.bind(whole);
    }

    /// The key of a fragment but for protocol and family. Clobbers R1.
    fn fragment_key6(&mut self) {
        for (to, from) in [(fragment::SOURCE, record::SOURCE), (fragment::DESTINATION, record::DESTINATION)] {
            for half in [0, 8] {
                self.asm.get(Size::Double, R1, self.record(from).at(half));
                self.asm.put(Size::Double, frame::FRAGMENT.at(to + half), R1);
            }
        }
        self.asm.get(Size::Word, R1, frame::IDENTIFICATION);
        self.asm.put(Size::Word, frame::FRAGMENT.at(fragment::IDENTIFICATION), R1);
        self.asm.put_imm(Size::Word, frame::FRAGMENT.at(fragment::PROTOCOL), 0);
    }
}
