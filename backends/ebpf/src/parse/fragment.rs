//! Fragments: the first one tells the ports of the others.
//!
//! Later fragments without a first one are dropped, as are fragmented ICMP messages. A first fragment too short for its ports is dropped, and
//! so is a TCP fragment that could overwrite them (RFC 1858, section 3).

use crate::asm::{Alu, Base, Cond, Helper, Label, Reg::*, Size};
use crate::emit::{Emit, facts, frame};
use image::layout::{fragment, record};
use image::{DropReason, MapRef, NodeMap};

impl Emit<'_> {
    /// A fragment: R3 = offset and more-fragments bit, R4 = identification, R8 = its payload. A first one falls through.
    pub fn fragment4(&mut self, ports: Label) {
        for at in (0..fragment::KEY_SIZE).step_by(8) {
            self.asm.put_imm(Size::Double, frame::FRAGMENT.at(at), 0);
        }
        for (to, from) in [(fragment::SOURCE, record::SOURCE), (fragment::DESTINATION, record::DESTINATION)] {
            self.asm.get(Size::Word, R1, self.record(from));
            self.asm.put(Size::Word, frame::FRAGMENT.at(to), R1);
        }
        self.asm.put(Size::Half, frame::FRAGMENT.at(fragment::IDENTIFICATION), R4);
        let first = self.asm.label();
        self.asm.alu(Alu::And, R3, 0x1fff);
        self.asm.jump_if(Cond::Eq, R3, 0, first);
        self.later_fragment(4, 1, ports);
        self.asm.bind(first);
        self.first_fragment(4, 1);
    }

    /// A later fragment: R3 = offset in eight bytes, the key in the frame but for protocol and family. Goes to `ports`.
    pub fn later_fragment(&mut self, family: i32, icmp: i32, ports: Label) {
        let (short, unknown) = (self.drop(DropReason::FragmentShort), self.drop(DropReason::FragmentUnknown));
        let beyond = self.asm.label();
        self.fragment_protocol(family, icmp);
        self.asm.jump_if(Cond::Ne, R3, 1, beyond);
        self.asm.jump_if(Cond::Eq, R1, 6, short);
        self.asm.bind(beyond);
        self.owned();
        if !self.settings.tracks_fragments(family) {
            // Through memory, so that the verifier does not know these ports from others; see the head of `emit`. It would follow a word of
            // zeros, so these are the two bytes of a one that are zero.
            self.asm.put_imm(Size::Word, frame::PORTS, 1);
            self.asm.put_imm(Size::Word, frame::FACTS, facts::PLAIN);
            let zeros = if self.target.little_endian { 2 } else { 0 };
            self.asm.get(Size::Half, R3, frame::PORTS.at(zeros));
            self.asm.get(Size::Half, R4, frame::PORTS.at(zeros));
            self.go_to_ports(ports);
            return;
        }
        self.asm.map(R1, MapRef::Node(NodeMap::Fragments));
        self.asm.frame(R2, frame::FRAGMENT);
        self.asm.call(Helper::MapLookup);
        self.asm.jump_if(Cond::Eq, R0, 0, unknown);
        self.asm.put_imm(Size::Word, frame::FACTS, facts::PLAIN);
        self.asm.load(Size::Half, R3, Base::Reg(R0), 0);
        self.asm.load(Size::Half, R4, Base::Reg(R0), 2);
        self.go_to_ports(ports);
    }

    /// A first fragment whose payload is R8: its ports are stored. Falls through. Clobbers R0 to R5.
    pub fn first_fragment(&mut self, family: i32, icmp: i32) {
        let short = self.drop(DropReason::FragmentShort);
        let enough = self.asm.label();
        self.fragment_protocol(family, icmp);
        self.within(8, short);
        self.asm.jump_if(Cond::Ne, R1, 6, enough);
        self.asm.get(Size::Word, R2, frame::PAYLOAD);
        self.asm.jump_if(Cond::Lt, R2, 14, short);
        self.asm.bind(enough);
        self.owned();
        if !self.settings.tracks_fragments(family) {
            return;
        }
        self.asm.load(Size::Word, R1, R8, 0);
        self.asm.put(Size::Word, frame::PORTS, R1);
        self.asm.map(R1, MapRef::Node(NodeMap::Fragments));
        self.asm.frame(R2, frame::FRAGMENT);
        self.asm.frame(R3, frame::PORTS);
        self.asm.mov(R4, 0);
        // A full table evicts its least used entry; if even that fails, the later fragments are dropped.
        self.asm.call(Helper::MapUpdate);
    }

    /// R1 = protocol, written to the key with the family. Drops those without ports: ICMP has no fragments here.
    fn fragment_protocol(&mut self, family: i32, icmp: i32) {
        let (icmp_fragment, unknown) = (self.drop(DropReason::IcmpFragment), self.drop(DropReason::UnknownProtocol));
        let known = self.asm.label();
        self.asm.get(Size::Byte, R1, frame::PROTOCOL);
        for protocol in [6, 17, 132] {
            self.asm.jump_if(Cond::Eq, R1, protocol, known);
        }
        self.asm.jump_if(Cond::Eq, R1, icmp, icmp_fragment);
        self.asm.jump(unknown);
        self.asm.bind(known);
        self.asm.put(Size::Byte, frame::FRAGMENT.at(fragment::PROTOCOL), R1);
        self.asm.put_imm(Size::Byte, frame::FRAGMENT.at(fragment::FAMILY), family);
    }
}
