//! IPv4 on the general path: options, fragments, ICMP, and every reason to drop.

use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, facts, frame, skb};
use image::DropReason;
use image::layout::{endpoint, record};

/// Where the general path hands over.
pub(crate) struct General {
    /// Tuple in registers, record without addresses and ports: TCP, UDP, SCTP over IPv4.
    pub ports4: Label,
    /// Tuple in registers, record complete: ICMP over IPv4.
    pub tuple4: Label,
    /// Record complete, nothing to track, IPv4.
    pub judge4: Label,
    /// Ports in registers, addresses in the record: IPv6.
    pub ports6: Label,
    /// As `tuple4` for IPv6; R1 and R2 point at the addresses.
    pub tuple6: Label,
    /// As `judge4`.
    pub judge6: Label,
}

impl Emit<'_> {
    /// From R8, the frame, to one of the exits.
    pub fn general4(&mut self, to: &General) {
        let truncated = self.drop(DropReason::Truncated);
        self.need(14 + 20, truncated);
        self.lengths4(truncated);
        self.addresses4();
        self.asm.load(Size::Byte, R1, R8, 23);
        self.asm.put(Size::Byte, frame::PROTOCOL, R1);
        // R3: identification and fragment field before R8 moves on to the next header.
        self.asm.load(Size::Half, R3, R8, 20);
        self.asm.swap(R3, 16);
        self.asm.alu(Alu::And, R3, 0x3fff);
        self.asm.load(Size::Half, R4, R8, 18);
        self.asm.alu(Alu::Add, R8, 14);
        self.asm.alu(Alu::Add, R8, R5);
        let whole = self.asm.label();
        self.asm.jump_if(Cond::Eq, R3, 0, whole);
        self.fragment4(to.ports4);
        self.asm.bind(whole);
        self.transport(1, to.ports4, truncated);
        self.icmp4(to, truncated);
    }

    /// Checks version and lengths: R5 = bytes of the header, the rest in [`frame::PAYLOAD`].
    fn lengths4(&mut self, truncated: Label) {
        let malformed = self.drop(DropReason::MalformedHeader);
        let known = self.asm.label();
        self.asm.load(Size::Byte, R5, R8, 14);
        self.asm.mov(R1, R5);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 4, malformed);
        self.asm.alu(Alu::And, R5, 15);
        self.asm.alu(Alu::Shl, R5, 2);
        self.asm.jump_if(Cond::Lt, R5, 20, malformed);
        self.asm.load(Size::Word, R2, R6, skb::LEN);
        self.asm.alu(Alu::Sub, R2, 14);
        self.asm.load(Size::Half, R1, R8, 16);
        self.asm.swap(R1, 16);
        self.asm.jump_if(Cond::Gt, R5, R2, truncated);
        self.asm.jump_if(Cond::Ne, R1, 0, known);
        // Segments of more than 65,535 bytes, made on this machine, say 0.
        self.asm.jump_if(Cond::Le, R2, 0xffff, malformed);
        self.asm.mov(R1, R2);
        self.asm.bind(known);
        self.asm.jump_if(Cond::Gt, R1, R2, truncated);
        self.asm.jump_if(Cond::Lt, R1, R5, malformed);
        self.asm.alu(Alu::Sub, R1, R5);
        self.asm.put(Size::Word, frame::PAYLOAD, R1);
    }

    /// Notes the addresses; from the endpoint the source must be its own.
    fn addresses4(&mut self) {
        self.asm.put_imm(Size::Byte, self.record(record::FAMILY), 4);
        self.asm.load(Size::Word, R1, R8, 26);
        self.asm.load(Size::Word, R2, R8, 30);
        self.put_addresses4();
        if self.checks_source() {
            let invalid = self.drop(DropReason::InvalidSource);
            self.asm.put_imm(Size::Byte, frame::ON_LINK, 0);
            self.asm.load(Size::Word, R2, R7, endpoint::ADDRESS4);
            self.asm.jump_if(Cond::Ne, R1, R2, invalid);
            self.asm.jump_if(Cond::Eq, R2, 0, invalid);
        }
    }

    /// Ports of the transport header at R8 into R3 and R4, protocol into R5, then to `ports`; falls through for `icmp`.
    pub fn transport(&mut self, icmp: i32, ports: Label, truncated: Label) {
        let (tcp, plain, message) = (self.asm.label(), self.asm.label(), self.asm.label());
        let (load, unknown) = (self.asm.label(), self.drop(DropReason::UnknownProtocol));
        self.asm.get(Size::Byte, R1, frame::PROTOCOL);
        for (protocol, header) in [(6, tcp), (17, plain), (132, plain), (icmp, message)] {
            self.asm.jump_if(Cond::Eq, R1, protocol, header);
        }
        self.asm.jump(unknown);
        self.asm.bind(tcp);
        self.within(14, truncated);
        self.asm.load(Size::Byte, R1, R8, 13);
        self.asm.alu(Alu::Or, R1, facts::TCP);
        self.asm.put(Size::Word, frame::FACTS, R1);
        self.asm.jump(load);
        self.asm.bind(plain);
        self.within(8, truncated);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::PLAIN);
        self.asm.bind(load);
        self.need(4, truncated);
        self.owned();
        self.asm.load(Size::Half, R3, R8, 0);
        self.asm.load(Size::Half, R4, R8, 2);
        self.go_to_ports(ports);
        self.asm.bind(message);
    }

    /// Drops what is no neighbour discovery and has a source that only that may have. Clobbers R1.
    pub fn owned(&mut self) {
        if self.checks_source() {
            let invalid = self.drop(DropReason::InvalidSource);
            self.asm.get(Size::Byte, R1, frame::ON_LINK);
            self.asm.jump_if(Cond::Ne, R1, 0, invalid);
        }
    }

    /// Loads the rest of the tuple and goes to `ports`.
    pub fn go_to_ports(&mut self, ports: Label) {
        self.asm.get(Size::Word, R1, self.record(record::SOURCE));
        self.asm.get(Size::Word, R2, self.record(record::DESTINATION));
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.jump(ports);
    }
}
