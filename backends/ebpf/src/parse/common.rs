//! The common shapes: plain headers, ports, everything in linear data.

use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, V4, V6, facts, frame, skb};
use image::layout::{endpoint, record};

impl Emit<'_> {
    /// IPv4 without options and fragments carrying TCP, UDP or SCTP; leaves in the registers of [`Emit::ports4`].
    pub fn common4(&mut self, other_type: Label, general: Label) {
        self.asm.load(Size::Word, R1, R6, skb::VLAN_PRESENT);
        self.asm.jump_if(Cond::Ne, R1, 0, general);
        self.load_packet();
        self.need(14 + 20 + 14, general);
        let ipv4 = self.raw16(0x0800);
        self.asm.load(Size::Half, R1, R8, 12);
        self.asm.jump_if(Cond::Ne, R1, ipv4, other_type);
        self.asm.load(Size::Byte, R1, R8, 14);
        self.asm.jump_if(Cond::Ne, R1, 0x45, general);
        let fragment = self.raw16(0x3fff);
        self.asm.load(Size::Half, R1, R8, 20);
        self.asm.alu(Alu::And, R1, fragment);
        self.asm.jump_if(Cond::Ne, R1, 0, general);
        self.asm.load(Size::Half, R1, R8, 16);
        self.asm.swap(R1, 16);
        // Shorter than a TCP header up to its flags: rare, and looked at closely there.
        self.asm.jump_if(Cond::Lt, R1, 20 + 14, general);
        self.asm.load(Size::Word, R2, R6, skb::LEN);
        self.asm.alu(Alu::Sub, R2, 14);
        self.asm.jump_if(Cond::Gt, R1, R2, general);
        self.asm.load(Size::Word, R1, R8, 26);
        self.asm.load(Size::Word, R2, R8, 30);
        if self.checks_source() {
            self.asm.load(Size::Word, R3, R7, endpoint::ADDRESS4);
            self.asm.jump_if(Cond::Ne, R1, R3, general);
            self.asm.jump_if(Cond::Eq, R3, 0, general);
        }
        self.asm.load(Size::Half, R3, R8, 34);
        self.asm.load(Size::Half, R4, R8, 36);
        self.facts_of_ports(23, 14 + 20, general);
        // Loaded again so that what the comparisons taught the verifier is not known of this copy.
        self.asm.load(Size::Byte, R5, R8, 23);
    }

    /// IPv6 without extension headers, likewise; R8 and R9 are set.
    pub fn common6(&mut self, general: Label) {
        let ipv6 = self.raw16(0x86dd);
        self.asm.jump_if(Cond::Ne, R1, ipv6, general);
        self.need(14 + 40 + 14, general);
        self.asm.load(Size::Byte, R1, R8, 14);
        self.asm.alu(Alu::Shr, R1, 4);
        self.asm.jump_if(Cond::Ne, R1, 6, general);
        self.asm.load(Size::Half, R1, R8, 18);
        self.asm.swap(R1, 16);
        self.asm.jump_if(Cond::Lt, R1, 14, general);
        self.asm.load(Size::Word, R2, R6, skb::LEN);
        self.asm.alu(Alu::Sub, R2, 54);
        self.asm.jump_if(Cond::Gt, R1, R2, general);
        self.copy_addresses6();
        if self.checks_source() {
            self.own_source6(general);
        }
        self.asm.load(Size::Half, R3, R8, 54);
        self.asm.load(Size::Half, R4, R8, 56);
        self.facts_of_ports(20, 54, general);
        self.asm.load(Size::Byte, R5, R8, 20);
    }

    /// From the registers of [`Emit::ports`] to those of the tuple.
    pub fn ports6(&mut self) {
        self.ports();
        self.outside_of_tunnel(V6);
        self.asm.frame(R1, self.record(record::SOURCE));
        self.asm.frame(R2, self.record(record::DESTINATION));
    }

    /// Notes TCP flags for the protocol at `protocol`, its header at `header`. Clobbers R5.
    pub fn facts_of_ports(&mut self, protocol: i16, header: i16, general: Label) {
        let (known, no_tcp, plain) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.load(Size::Byte, R5, R8, protocol);
        self.asm.jump_if(Cond::Ne, R5, 6, no_tcp);
        self.asm.load(Size::Byte, R5, R8, header + 13);
        self.asm.alu(Alu::Or, R5, facts::TCP);
        self.asm.put(Size::Word, frame::FACTS, R5);
        self.asm.jump(known);
        self.asm.bind(no_tcp);
        self.asm.jump_if(Cond::Eq, R5, 17, plain);
        self.asm.jump_if(Cond::Ne, R5, 132, general);
        self.asm.bind(plain);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::PLAIN);
        self.asm.bind(known);
    }

    /// Fills the record from R1 source, R2 destination, R3 and R4 ports, R5 protocol, and keeps all of them. Clobbers R0 and R8.
    pub fn ports4(&mut self) {
        self.put_addresses4();
        self.ports();
        self.outside_of_tunnel(V4);
    }

    /// Fills the addresses of the record from R1 and R2. The second store hides from the verifier which register the first one held:
    /// so both paths leave the same state.
    pub fn put_addresses4(&mut self) {
        for (slot, address) in [(record::SOURCE, R1), (record::DESTINATION, R2)] {
            let place = self.record(slot);
            self.asm.put(Size::Word, place, address);
            self.asm.put_imm(Size::Word, place.at(4), 0);
            self.asm.put_imm(Size::Double, place.at(8), 0);
        }
    }

    /// Fills ports and L4 key of the record from R3, R4 and R5. Clobbers R0 and R8.
    pub fn ports(&mut self) {
        self.asm.put(Size::Half, self.record(record::SOURCE_PORT), R3);
        self.asm.put(Size::Half, self.record(record::DESTINATION_PORT), R4);
        self.asm.mov(R0, R4);
        self.asm.swap(R0, 16);
        self.asm.mov(R8, R5);
        self.asm.alu(Alu::Shl, R8, 16);
        self.asm.alu(Alu::Or, R0, R8);
        self.asm.put(Size::Word, self.record(record::L4_KEY), R0);
    }
}
