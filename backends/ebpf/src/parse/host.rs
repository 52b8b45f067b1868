//! The first instructions of the node's programs: which packets are the node's own. All others pass, uncounted and untouched.

use crate::asm::{Alu, Cond, Helper, Label, Reg::*, Size};
use crate::emit::{Emit, frame, origin, skb};
use image::{MapRef, NodeMap};

/// The number in a VLAN tag; the other bits are a priority.
const VLAN_NUMBER: i32 = 0x0fff;

impl Emit<'_> {
    /// Goes on with packets of the node itself, and with those that were translated on it; short and odd frames go to `general`.
    pub fn host_entry(&mut self, general: Label) {
        let skip = self.skip;
        let (untagged, short, ready) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.mov(R6, R1);
        self.asm.load(Size::Word, R1, R6, skb::VLAN_PRESENT);
        self.asm.jump_if(Cond::Eq, R1, 0, untagged);
        self.asm.load(Size::Word, R1, R6, skb::VLAN_TCI);
        self.asm.alu(Alu::And, R1, VLAN_NUMBER);
        self.asm.jump_if(Cond::Ne, R1, 0, skip);
        self.asm.bind(untagged);
        if self.has_origin() {
            self.origin();
        }
        self.load_packet();
        self.need(14 + 40, short);
        self.asm.jump(ready);
        self.asm.bind(short);
        self.pull();
        self.asm.bind(ready);
        self.own_address(general);
    }

    /// Notes where the packet was before. What came in by the interface of no endpoint is forwarded. Clobbers R1 to R3 and R7.
    fn origin(&mut self) {
        let (skip, found, known) = (self.skip, self.asm.label(), self.asm.label());
        self.asm.load(Size::Word, R1, R6, skb::INGRESS_IFINDEX);
        self.asm.put_imm(Size::Byte, frame::ORIGIN, origin::HERE);
        self.asm.jump_if(Cond::Eq, R1, 0, known);
        self.find_endpoint(found);
        self.asm.jump(skip);
        self.asm.bind(found);
        self.asm.put_imm(Size::Byte, frame::ORIGIN, origin::ENDPOINT);
        self.asm.bind(known);
    }

    /// Skips the frame R8 unless the address on the node's side is one of the node's. Frames without one are its own if it made them.
    fn own_address(&mut self, general: Label) {
        let (skip, bare) = (self.skip, self.asm.label());
        let (six, look, own) = (self.asm.label(), self.asm.label(), self.asm.label());
        let (at4, at6) = if self.outward() { (26, 22) } else { (30, 38) };
        self.need(14, bare);
        let (ipv4, ipv6) = (self.raw16(0x0800), self.raw16(0x86dd));
        self.asm.load(Size::Half, R1, R8, 12);
        self.asm.jump_if(Cond::Ne, R1, ipv4, six);
        self.need(14 + 20, bare);
        self.asm.load(Size::Word, R1, R8, at4);
        self.asm.put_imm(Size::Double, frame::OWN, 0);
        // ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
        self.asm.put_imm(Size::Word, frame::OWN.at(8), if self.target.little_endian { 0xffff << 16 } else { 0xffff });
        self.asm.put(Size::Word, frame::OWN.at(12), R1);
        self.asm.jump(look);
        self.asm.bind(six);
        self.asm.jump_if(Cond::Ne, R1, ipv6, bare);
        self.need(14 + 40, bare);
        for half in [0, 8] {
            self.asm.load(Size::Double, R1, R8, at6 + half);
            self.asm.put(Size::Double, frame::OWN.at(half as u32), R1);
        }
        self.asm.bind(look);
        self.asm.map(R1, MapRef::Node(NodeMap::Own));
        self.asm.frame(R2, frame::OWN);
        self.asm.call(Helper::MapLookup);
        self.asm.jump_if(Cond::Ne, R0, 0, own);
        self.asm.jump(skip);
        self.asm.bind(bare);
        if self.has_origin() {
            self.asm.get(Size::Byte, R1, frame::ORIGIN);
            self.asm.jump_if(Cond::Ne, R1, origin::HERE, skip);
        }
        self.asm.jump(general);
        self.asm.bind(own);
    }
}
