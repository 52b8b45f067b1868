//! ICMPv6: queries, errors, and neighbour discovery, which never reaches policy.

use super::general4::General;
use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, facts, frame};
use image::DropReason;
use image::layout::{endpoint, record};

/// Message types, RFC 4443 and RFC 4861.
const LAST_ERROR: i32 = 4;
const ECHO_REQUEST: i32 = 128;
const ECHO_REPLY: i32 = 129;
const ROUTER_SOLICITATION: i32 = 133;
const ROUTER_ADVERTISEMENT: i32 = 134;
const NEIGHBOUR_ADVERTISEMENT: i32 = 136;
const REDIRECT: i32 = 137;

impl Emit<'_> {
    /// At `message`, R8 is an ICMPv6 message.
    pub fn icmp6(&mut self, to: &General, message: Label, truncated: Label) {
        let (request, reply, neighbour, no_error) =
            (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.bind(message);
        self.message(58, truncated);
        self.asm.jump_if(Cond::Eq, R1, ECHO_REQUEST, request);
        self.asm.jump_if(Cond::Eq, R1, ECHO_REPLY, reply);
        self.asm.jump_if(Cond::Gt, R1, LAST_ERROR, no_error);
        self.asm.jump_if(Cond::Eq, R1, 0, no_error);
        self.inner6(to);
        self.asm.bind(no_error);
        self.asm.jump_if(Cond::Lt, R1, ROUTER_SOLICITATION, to.judge6);
        self.asm.jump_if(Cond::Le, R1, REDIRECT, neighbour);
        self.asm.jump(to.judge6);
        self.asm.bind(request);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::REQUEST);
        self.query(R3, R4);
        self.to_tuple6(to.tuple6);
        self.asm.bind(reply);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::NO_INSERT);
        self.query(R4, R3);
        self.to_tuple6(to.tuple6);
        self.asm.bind(neighbour);
        self.neighbour(truncated);
    }

    /// Goes to `tuple` with the addresses of the packet itself.
    fn to_tuple6(&mut self, tuple: Label) {
        self.asm.frame(R1, self.record(record::SOURCE));
        self.asm.frame(R2, self.record(record::DESTINATION));
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(tuple);
    }

    /// Neighbour discovery of type R1: it must not have crossed a router (RFC 4861 section 6.1, 7.1); an endpoint is no router, and
    /// advertises its own address only (or a link-local one, which nobody else on its link has).
    fn neighbour(&mut self, truncated: Label) {
        let (forbidden, pass) = (self.drop(DropReason::ForbiddenNeighbour), self.pass);
        self.asm.get(Size::Byte, R2, frame::HOP_LIMIT);
        self.asm.jump_if(Cond::Ne, R2, 255, forbidden);
        if self.outward() {
            let other = self.asm.label();
            self.asm.jump_if(Cond::Eq, R1, ROUTER_ADVERTISEMENT, forbidden);
            self.asm.jump_if(Cond::Eq, R1, REDIRECT, forbidden);
            self.asm.jump_if(Cond::Ne, R1, NEIGHBOUR_ADVERTISEMENT, pass);
            self.need(24, truncated);
            for half in [0, 8] {
                self.asm.load(Size::Double, R1, R8, 8 + half);
                self.asm.load(Size::Double, R2, R7, endpoint::ADDRESS6 as i16 + half);
                self.asm.jump_if(Cond::Ne, R1, R2, other);
            }
            self.asm.jump(pass);
            self.asm.bind(other);
            self.asm.load(Size::Half, R1, R8, 8);
            self.asm.swap(R1, 16);
            self.asm.alu(Alu::And, R1, 0xffc0);
            self.asm.jump_if(Cond::Ne, R1, 0xfe80, forbidden);
        }
        self.asm.jump(pass);
    }

    /// The packet inside an error: its tuple, if it was sent by whom the error goes to. One with extension headers is nobody's.
    fn inner6(&mut self, to: &General) {
        let unrelated = to.judge6;
        self.need(8 + 40, unrelated);
        self.asm.load(Size::Byte, R1, R8, 8);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 6, unrelated);
        for half in [0u32, 8] {
            self.asm.load(Size::Double, R1, R8, 16 + half as i16);
            self.asm.get(Size::Double, R2, self.record(record::DESTINATION).at(half));
            self.asm.jump_if(Cond::Ne, R1, R2, unrelated);
            self.asm.load(Size::Double, R1, R8, 32 + half as i16);
            if self.outward() {
                self.asm.get(Size::Double, R2, self.record(record::SOURCE).at(half));
                self.asm.jump_if(Cond::Ne, R1, R2, unrelated);
            }
            self.asm.put(Size::Double, frame::INNER.at(half), R1);
        }
        self.asm.load(Size::Byte, R3, R8, 8 + 6);
        self.asm.put(Size::Byte, frame::PROTOCOL, R3);
        self.asm.alu(Alu::Add, R8, 48);
        self.inner_ports(58, &[(ECHO_REQUEST, true), (ECHO_REPLY, false)], unrelated);
        self.asm.frame(R1, self.record(record::DESTINATION));
        self.asm.frame(R2, frame::INNER);
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(to.tuple6);
    }
}
