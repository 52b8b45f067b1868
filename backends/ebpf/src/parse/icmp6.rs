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
const SOLICITATION: i32 = 135;
const REDIRECT: i32 = 137;

impl Emit<'_> {
    /// At `message`, R8 is an ICMPv6 message.
    pub fn icmp6(&mut self, to: &General, message: Label, truncated: Label) {
        let (request, reply, neighbour) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.bind(message);
        self.message(58, truncated);
        let no_neighbour = self.asm.label();
        self.asm.jump_if(Cond::Lt, R1, ROUTER_SOLICITATION, no_neighbour);
        self.asm.jump_if(Cond::Le, R1, REDIRECT, neighbour);
        self.asm.bind(no_neighbour);
        self.asm.mov(R3, R1);
        self.owned();
        self.asm.mov(R1, R3);
        self.asm.jump_if(Cond::Eq, R1, ECHO_REQUEST, request);
        self.asm.jump_if(Cond::Eq, R1, ECHO_REPLY, reply);
        self.asm.jump_if(Cond::Gt, R1, LAST_ERROR, to.judge6);
        self.asm.jump_if(Cond::Eq, R1, 0, to.judge6);
        self.inner6(to);
        self.asm.bind(request);
        self.asm.jump_if(Cond::Ne, R2, 0, to.judge6);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::REQUEST);
        self.query(R3, R4);
        self.go_to_tuple6(to.tuple6);
        self.asm.bind(reply);
        self.asm.jump_if(Cond::Ne, R2, 0, to.judge6);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::NO_INSERT);
        self.query(R4, R3);
        self.go_to_tuple6(to.tuple6);
        self.asm.bind(neighbour);
        self.neighbour(truncated);
    }

    /// Goes to `tuple` with the addresses of the packet itself.
    fn go_to_tuple6(&mut self, tuple: Label) {
        self.asm.frame(R1, self.record(record::SOURCE));
        self.asm.frame(R2, self.record(record::DESTINATION));
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(tuple);
    }

    /// Neighbour discovery of type R1 and code R2.
    ///
    /// It must not have crossed a router (RFC 4861, sections 6.1 and 7.1). An endpoint is no router; it claims its own address only, or a
    /// link-local one, which matters to nobody beyond its link. A claim is an advertisement, or a probe: a solicitation from nowhere.
    fn neighbour(&mut self, truncated: Label) {
        let (forbidden, pass) = (self.drop(DropReason::ForbiddenNeighbour), self.pass);
        let complete = self.asm.label();
        self.asm.mov(R3, R2);
        self.asm.jump_if(Cond::Lt, R1, SOLICITATION, complete);
        self.within(24, truncated);
        self.asm.bind(complete);
        self.asm.jump_if(Cond::Ne, R3, 0, forbidden);
        self.asm.get(Size::Byte, R3, frame::HOP_LIMIT);
        self.asm.jump_if(Cond::Ne, R3, 255, forbidden);
        if self.checks_source() {
            self.claim_of_address(forbidden, pass);
        }
        self.asm.jump(pass);
    }

    fn claim_of_address(&mut self, forbidden: Label, pass: Label) {
        let (other, claims) = (self.asm.label(), self.asm.label());
        for router in [ROUTER_ADVERTISEMENT, REDIRECT] {
            self.asm.jump_if(Cond::Eq, R1, router, forbidden);
        }
        self.asm.jump_if(Cond::Eq, R1, ROUTER_SOLICITATION, pass);
        self.asm.jump_if(Cond::Ne, R1, SOLICITATION, claims);
        self.asm.get(Size::Double, R1, self.record(record::SOURCE));
        self.asm.get(Size::Double, R2, self.record(record::SOURCE).at(8));
        self.asm.alu(Alu::Or, R1, R2);
        self.asm.jump_if(Cond::Ne, R1, 0, pass);
        self.asm.bind(claims);
        self.need(24, forbidden);
        for (register, half) in [(R2, 0), (R3, 8)] {
            self.asm.load(Size::Double, R1, R8, 8 + half);
            self.asm.load(Size::Double, register, R7, endpoint::ADDRESS6 as i16 + half);
            self.asm.jump_if(Cond::Ne, R1, register, other);
        }
        // An endpoint without an address has that of nobody, and may not claim it.
        self.asm.alu(Alu::Or, R2, R3);
        self.asm.jump_if(Cond::Ne, R2, 0, pass);
        self.asm.bind(other);
        self.asm.load(Size::Half, R1, R8, 8);
        self.asm.swap(R1, 16);
        self.asm.alu(Alu::And, R1, 0xffc0);
        self.asm.jump_if(Cond::Ne, R1, 0xfe80, forbidden);
    }

    /// The packet inside an error: its tuple, if it was sent by whom the error goes to. One with extension headers is nobody's.
    fn inner6(&mut self, to: &General) {
        let unrelated = to.judge6;
        self.within(8 + 40, unrelated);
        self.asm.load(Size::Byte, R1, R8, 8);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 6, unrelated);
        for half in [0u32, 8] {
            self.asm.load(Size::Double, R1, R8, 16 + half as i16);
            self.asm.get(Size::Double, R2, self.record(record::DESTINATION).at(half));
            self.asm.jump_if(Cond::Ne, R1, R2, unrelated);
            self.asm.load(Size::Double, R1, R8, 32 + half as i16);
            if self.checks_source() {
                self.asm.get(Size::Double, R2, self.record(record::SOURCE).at(half));
                self.asm.jump_if(Cond::Ne, R1, R2, unrelated);
            }
            self.asm.put(Size::Double, frame::INNER.at(half), R1);
            if self.has_origin() {
                self.asm.get(Size::Double, R2, self.record(record::SOURCE).at(half));
                self.asm.alu(Alu::Xor, R1, R2);
                if half > 0 {
                    self.asm.get(Size::Double, R2, frame::ABOUT);
                    self.asm.alu(Alu::Or, R1, R2);
                }
                self.asm.put(Size::Double, frame::ABOUT, R1);
            }
        }
        self.asm.load(Size::Byte, R3, R8, 8 + 6);
        self.asm.put(Size::Byte, frame::PROTOCOL, R3);
        self.asm.mov(R5, 8 + 40);
        self.inner_starts(unrelated);
        self.inner_ports(58, &[(ECHO_REQUEST, true), (ECHO_REPLY, false)], unrelated);
        self.about_forwarded();
        self.asm.frame(R1, self.record(record::DESTINATION));
        self.asm.frame(R2, frame::INNER);
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(to.tuple6);
    }
}
