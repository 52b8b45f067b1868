//! The first instructions: whose packet it is; and the start of the general path.

use super::General;
use crate::asm::{Alu, Cond, Helper, Label, Reg, Reg::*, Size};
use crate::emit::{Emit, skb};
use image::{DropReason, MapRef, NodeMap, layout::endpoint};

/// How far headers are pulled into linear data.
const PULLED: i32 = 256;

impl Emit<'_> {
    /// Finds the endpoint of the interface: R7.
    pub fn entry(&mut self) {
        let found = self.asm.label();
        self.asm.mov(R6, R1);
        self.asm.load(Size::Word, R1, R6, skb::IFINDEX);
        self.find_endpoint(found);
        self.clear_record();
        let missing = self.drop(DropReason::NoEndpoint);
        self.asm.jump(missing);
        self.asm.bind(found);
    }

    /// R7 = the endpoint of the interface R1, and on to `found`; falls through without one. Clobbers R2 and R3.
    pub fn find_endpoint(&mut self, found: Label) {
        let mask = (1 << self.target.endpoints_log2) - 1;
        for probe in 0..endpoint::PROBES {
            self.asm.mov(R2, R1);
            if probe > 0 {
                self.asm.alu(Alu::Add, R2, probe as i32);
            }
            self.asm.alu(Alu::And, R2, mask);
            self.asm.alu(Alu::Shl, R2, endpoint::SIZE.trailing_zeros() as i32);
            self.asm.value(R7, MapRef::Node(NodeMap::Endpoints), 0);
            self.asm.alu(Alu::Add, R7, R2);
            self.asm.load(Size::Word, R3, R7, endpoint::IFINDEX);
            self.asm.jump_if(Cond::Eq, R3, R1, found);
        }
    }

    /// Loads R8 and R9, the packet and its end.
    pub fn load_packet(&mut self) {
        self.asm.load(Size::Word, R8, R6, skb::DATA);
        self.asm.load(Size::Word, R9, R6, skb::DATA_END);
    }

    /// Leaves for `to` unless this many bytes follow R8. Clobbers R2.
    pub fn need(&mut self, bytes: i32, to: Label) {
        self.asm.mov(R2, R8);
        self.asm.alu(Alu::Add, R2, bytes);
        self.asm.jump_if(Cond::Gt, R2, R9, to);
    }

    /// Leaves for `to` unless this many bytes of the packet's stated length follow R8. Clobbers R2.
    pub fn within(&mut self, bytes: i32, to: Label) {
        self.asm.get(Size::Word, R2, crate::emit::frame::PAYLOAD);
        self.asm.jump_if(Cond::Lt, R2, bytes, to);
        self.need(bytes, to);
    }

    /// The general path: every packet that the common path left.
    pub fn general(&mut self, to: &General) {
        self.clear_record();
        self.subject_number(R1);
        self.asm.put(Size::Word, self.record(image::layout::record::ENDPOINT), R1);
        let vlan = self.drop(DropReason::Vlan);
        if !self.hook.is_host() {
            self.asm.load(Size::Word, R1, R6, skb::VLAN_PRESENT);
            self.asm.jump_if(Cond::Ne, R1, 0, vlan);
        }
        self.pull();
        let truncated = self.drop(DropReason::Truncated);
        self.need(14, truncated);
        self.asm.load(Size::Half, R1, R8, 12);
        let (ipv4, ipv6, arp) = (self.asm.label(), self.asm.label(), self.asm.label());
        for (number, to) in [(0x0800, ipv4), (0x86dd, ipv6), (0x0806, arp), (0x8100, vlan), (0x88a8, vlan)] {
            let raw = self.raw16(number);
            self.asm.jump_if(Cond::Eq, R1, raw, to);
        }
        let unknown = self.drop(DropReason::UnknownEtherType);
        self.asm.jump(unknown);
        self.asm.bind(arp);
        self.arp(truncated);
        self.asm.bind(ipv4);
        self.general4(to);
        self.asm.bind(ipv6);
        self.general6(to);
    }

    /// The number of the endpoint R7, or that of the node.
    pub fn subject_number(&mut self, into: Reg) {
        if self.hook.is_host() {
            self.asm.mov(into, i32::from(endpoint::NODE));
        } else {
            self.asm.load(Size::Word, into, R7, endpoint::ID);
        }
    }

    /// Makes the first bytes linear where they are not; a packet that stays short is found by the checks that follow.
    pub fn pull(&mut self) {
        let (linear, capped) = (self.asm.label(), self.asm.label());
        self.load_packet();
        self.asm.mov(R3, R9);
        self.asm.alu(Alu::Sub, R3, R8);
        self.asm.jump_if(Cond::Ge, R3, PULLED, linear);
        self.asm.load(Size::Word, R2, R6, skb::LEN);
        self.asm.jump_if(Cond::Ge, R3, R2, linear);
        self.asm.jump_if(Cond::Le, R2, PULLED, capped);
        self.asm.mov(R2, PULLED);
        self.asm.bind(capped);
        self.asm.mov(R1, R6);
        self.asm.call(Helper::PullData);
        self.asm.bind(linear);
        self.load_packet();
    }

    /// ARP passes; from the endpoint only for its own addresses (or 0.0.0.0, a probe: RFC 5227 section 2.1.1).
    fn arp(&mut self, truncated: Label) {
        if !self.checks_source() {
            let pass = self.pass;
            self.asm.jump(pass);
            return;
        }
        let (forbidden, malformed) =
            (self.drop(DropReason::ForbiddenNeighbour), self.drop(DropReason::MalformedHeader));
        self.need(14 + 28, truncated);
        // Ethernet, IPv4, addresses of six and four bytes: RFC 826.
        for (offset, value) in [(14, 1), (16, 0x0800), (18, 0x0604)] {
            let raw = self.raw16(value);
            self.asm.load(Size::Half, R1, R8, offset);
            self.asm.jump_if(Cond::Ne, R1, raw, malformed);
        }
        let (known, address) = (self.asm.label(), self.asm.label());
        self.asm.load(Size::Word, R1, R7, endpoint::MAC);
        self.asm.load(Size::Half, R2, R7, endpoint::MAC + 4);
        self.asm.jump_if(Cond::Ne, R1, 0, known);
        self.asm.jump_if(Cond::Eq, R2, 0, address);
        self.asm.bind(known);
        self.asm.load(Size::Word, R3, R8, 22);
        self.asm.load(Size::Half, R4, R8, 26);
        self.asm.jump_if(Cond::Ne, R3, R1, forbidden);
        self.asm.jump_if(Cond::Ne, R4, R2, forbidden);
        self.asm.bind(address);
        let pass = self.pass;
        self.asm.load(Size::Word, R1, R8, 28);
        self.asm.load(Size::Word, R2, R7, endpoint::ADDRESS4);
        self.asm.jump_if(Cond::Eq, R1, 0, pass);
        self.asm.jump_if(Cond::Ne, R1, R2, forbidden);
        self.asm.jump(pass);
    }
}
