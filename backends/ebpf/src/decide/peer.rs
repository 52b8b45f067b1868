//! From an address to a peer number.

use crate::asm::{Alu, Base, Cond, Helper, Reg::*, Size, Slot};
use crate::emit::{Emit, frame, skb};
use image::address::{PAGE_ENTRIES, ROOT_ENTRIES};
use image::layout::{config, peer, record};
use image::{MapRef, NodeMap};

impl Emit<'_> {
    /// The place in the record of the peer's address: the source of what comes to the endpoint, the destination of what it sends.
    fn peer_address(&self) -> Slot {
        self.record(if self.outward() { record::DESTINATION } else { record::SOURCE })
    }

    /// R2 = peer of an IPv4 packet: at most three loads in one table. Clobbers R1, R3, R4.
    pub fn peer4(&mut self) {
        let known = self.asm.label();
        let pages = (1 << self.target.address4_pages_log2) - 1;
        let address = self.peer_address();
        self.asm.get(Size::Word, R3, address);
        self.asm.swap(R3, 32);
        // Kernels before 6.18 do not see that a swap leaves 32 bits.
        self.asm.mov32(R3, R3);
        self.asm.mov(R2, R3);
        self.asm.alu(Alu::Shr, R2, 16);
        self.asm.alu(Alu::Shl, R2, 2);
        self.asm.value(R1, MapRef::Node(NodeMap::Address4), 0);
        self.asm.alu(Alu::Add, R1, R2);
        self.asm.load(Size::Word, R2, R1, 0);
        for shift in [8, 0] {
            // The high bit of the entry, its sign, marks a page.
            self.asm.jump_if32(Cond::Sgt, R2, -1, known);
            self.asm.alu(Alu::And, R2, pages);
            self.asm.alu(Alu::Shl, R2, PAGE_ENTRIES.trailing_zeros() as i32);
            self.asm.mov(R4, R3);
            if shift > 0 {
                self.asm.alu(Alu::Shr, R4, shift);
            }
            self.asm.alu(Alu::And, R4, PAGE_ENTRIES as i32 - 1);
            self.asm.alu(Alu::Add, R2, R4);
            self.asm.alu(Alu::Shl, R2, 2);
            self.asm.value(R1, MapRef::Node(NodeMap::Address4), ROOT_ENTRIES * 4);
            self.asm.alu(Alu::Add, R1, R2);
            self.asm.load(Size::Word, R2, R1, 0);
        }
        self.asm.bind(known);
        self.doubt_host(peer::WORLD4);
    }

    /// R2 = peer of an IPv6 packet: its address exactly, else the longest prefix, else the node's default. Clobbers R0 to R5.
    pub fn peer6(&mut self) {
        let (found, known) = (self.asm.label(), self.asm.label());
        let address = self.peer_address();
        self.asm.map(R1, MapRef::Node(NodeMap::Address6Exact));
        self.asm.frame(R2, address);
        self.asm.call(Helper::MapLookup);
        self.asm.jump_if(Cond::Ne, R0, 0, found);
        self.asm.put_imm(Size::Word, frame::PREFIX, 128);
        for at in [0, 4, 8, 12] {
            self.asm.get(Size::Word, R1, address.at(at));
            self.asm.put(Size::Word, frame::PREFIX.at(4 + at), R1);
        }
        self.asm.map(R1, MapRef::Node(NodeMap::Address6Prefix));
        self.asm.frame(R2, frame::PREFIX);
        self.asm.call(Helper::MapLookup);
        let by_prefix = self.asm.label();
        self.asm.jump_if(Cond::Ne, R0, 0, by_prefix);
        self.asm.value(R1, MapRef::Node(NodeMap::Config), config::DEFAULT_PEER6);
        self.asm.load(Size::Word, R2, R1, 0);
        self.asm.jump(known);
        self.asm.bind(by_prefix);
        self.asm.bind(found);
        self.asm.load(Size::Word, R2, Base::Reg(R0), 0);
        self.asm.bind(known);
        self.doubt_host(peer::WORLD6);
    }

    /// A packet that was not made on this node and claims to be from it is from the world.
    fn doubt_host(&mut self, world: u32) {
        if self.outward() {
            return;
        }
        let believed = self.asm.label();
        self.asm.jump_if(Cond::Ne, R2, peer::HOST as i32, believed);
        self.asm.load(Size::Word, R1, R6, skb::INGRESS_IFINDEX);
        self.asm.jump_if(Cond::Eq, R1, 0, believed);
        self.asm.mov(R2, world as i32);
        self.asm.bind(believed);
    }
}
