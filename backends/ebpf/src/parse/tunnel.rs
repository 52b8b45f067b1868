//! The guard of the node's tunnel: no endpoint may put packets into it.

use crate::asm::{Cond, Helper, Reg::*, Size};
use crate::emit::{Emit, Family, V4, frame};
use image::layout::record;
use image::{DropReason, MapRef, NodeMap};

impl Emit<'_> {
    /// Drops UDP from the endpoint to the tunnel port at one of the node's own addresses, before anything else is asked.
    ///
    /// Keeps R1 to R5, of IPv6 R3 to R5; clobbers R0. Packets of other ports pay two comparisons.
    pub fn outside_of_tunnel(&mut self, family: Family) {
        let Some(port) = self.settings.tunnel_port.filter(|_| self.checks_source()) else { return };
        let (clear, outside, drop) = (self.asm.label(), self.asm.label(), self.drop(DropReason::Encapsulation));
        let raw = self.raw16(port);
        self.asm.jump_if(Cond::Ne, R5, 17, clear);
        self.asm.jump_if(Cond::Ne, R4, raw, clear);
        self.destination_key(family);
        self.asm.map(R1, MapRef::Node(NodeMap::Own));
        self.asm.frame(R2, frame::OWN);
        self.asm.call(Helper::MapLookup);
        self.asm.jump_if(Cond::Eq, R0, 0, outside);
        // What tracking and the decision would have noted: a record is written whole.
        self.common_facts(family);
        self.asm.put_imm(Size::Word, self.record(record::PEER), 0);
        self.asm.put_imm(Size::Word, self.record(record::LEAF), -1);
        self.asm.jump(drop);
        self.asm.bind(outside);
        // The call took the registers; the record has what they held.
        if family == V4 {
            self.asm.get(Size::Word, R1, self.record(record::SOURCE));
            self.asm.get(Size::Word, R2, self.record(record::DESTINATION));
        }
        self.asm.get(Size::Half, R3, self.record(record::SOURCE_PORT));
        self.asm.get(Size::Half, R4, self.record(record::DESTINATION_PORT));
        self.asm.put_imm(Size::Byte, frame::PROTOCOL, 17);
        self.asm.get(Size::Byte, R5, frame::PROTOCOL);
        self.asm.bind(clear);
    }

    /// The destination in the record as a key of the node's own addresses. Clobbers R1.
    fn destination_key(&mut self, family: Family) {
        if family == V4 {
            self.asm.put_imm(Size::Double, frame::OWN, 0);
            // ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
            let mapped = if self.target.little_endian { 0xffff << 16 } else { 0xffff };
            self.asm.put_imm(Size::Word, frame::OWN.at(8), mapped);
            self.asm.get(Size::Word, R1, self.record(record::DESTINATION));
            self.asm.put(Size::Word, frame::OWN.at(12), R1);
            return;
        }
        for half in [0, 8] {
            self.asm.get(Size::Double, R1, self.record(record::DESTINATION).at(half));
            self.asm.put(Size::Double, frame::OWN.at(half), R1);
        }
    }
}
