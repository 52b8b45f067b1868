//! Programs shaped like those of others, written with our own builder, as lean as the shape allows.
//!
//! ```text
//!  lpm        address ─trie─► identity;  identity, protocol, port ─trie─► verdict            (shaped like Cilium)
//!  hash       address ─hash─► identity;  identity, protocol, port ─hash─► verdict
//!  cidr       rule after rule: address under a mask, protocol, port, all immediates          (shaped like Calico)
//!  selectors  rule after rule: address in a set (trie), protocol, port                       (shaped like Calico)
//!  whole      LRU hash of connections, then lpm, then a hash of counters; reads the clock    (shaped like Cilium)
//! ```
//! They leave out what the real ones do beside: tail calls, state through per-processor maps, tracing, the other family. So a ratio to one of them is
//! a lower bound of the ratio to the real program.

pub mod cidr;
pub mod hash;
pub mod lpm;
pub mod selectors;
pub mod whole;

use crate::datapath::kernel::Error;
use crate::datapath::wrap::{TC_ACT_SHOT, TCX_NEXT, skb};
use ebpf::asm::{Alu, Asm, Assembled, Cond, Helper, Label, Reg::*, Size, Slot};
use flow::Family;
use image::MapRef;
use loader::sys::map::Map;
use std::net::IpAddr;

/// A program, and the maps that its references number.
pub struct Shape {
    /// The instructions.
    pub code: Assembled,
    /// The maps, by index.
    pub maps: Vec<Map>,
}

/// The identity of addresses that no map names.
const STRANGER: i32 = 2;

/// Plain IPv4 or IPv6 with ports: R6 context, R7 source address (its last word), R8 destination port, R9 protocol; addresses and ports as
/// they stand in the packet, whose start stays in R2. Everything else passes.
fn parse(asm: &mut Asm, family: Family) {
    match family {
        Family::V4 => parse4(asm),
        Family::V6 => parse6(asm),
    }
}

/// The frame begins, and has so many bytes of headers; R6, R2.
fn begin(asm: &mut Asm, headers: i32, ether_type: u16, pass: Label) {
    asm.mov(R6, R1);
    asm.load(Size::Word, R2, R6, skb::DATA);
    asm.load(Size::Word, R3, R6, skb::DATA_END);
    asm.mov(R4, R2);
    asm.alu(Alu::Add, R4, headers);
    asm.jump_if(Cond::Gt, R4, R3, pass);
    asm.load(Size::Half, R1, R2, 12);
    asm.jump_if(Cond::Ne, R1, i32::from(ether_type.to_be()), pass);
}

fn parse6(asm: &mut Asm) {
    let (pass, parsed) = (asm.label(), asm.label());
    begin(asm, 14 + 40 + 20, 0x86dd, pass);
    asm.load(Size::Byte, R9, R2, 20);
    asm.jump_if(Cond::Eq, R9, 6, parsed);
    asm.bind(pass);
    asm.mov(R0, TCX_NEXT);
    asm.exit();
    asm.bind(parsed);
    asm.load(Size::Word, R7, R2, 34);
    asm.load(Size::Half, R8, R2, 56);
}

/// Copies words of the packet, whose start is R2, to the frame. Clobbers R1.
fn copy(asm: &mut Asm, from: i16, to: Slot, words: u32) {
    for word in 0..words {
        asm.load(Size::Word, R1, R2, from + 4 * word as i16);
        asm.put(Size::Word, to.at(4 * word), R1);
    }
}

fn parse4(asm: &mut Asm) {
    let (pass, parsed) = (asm.label(), asm.label());
    begin(asm, 14 + 20 + 20, 0x0800, pass);
    asm.load(Size::Byte, R1, R2, 14);
    asm.jump_if(Cond::Ne, R1, 0x45, pass);
    asm.load(Size::Half, R1, R2, 20);
    asm.alu(Alu::And, R1, i32::from(0x3fffu16.to_be()));
    asm.jump_if(Cond::Eq, R1, 0, parsed);
    asm.bind(pass);
    asm.mov(R0, TCX_NEXT);
    asm.exit();
    asm.bind(parsed);
    asm.load(Size::Word, R7, R2, 26);
    asm.load(Size::Half, R8, R2, 36);
    asm.load(Size::Byte, R9, R2, 23);
}

/// R0 = value of the key in the frame, or null. Clobbers R1 to R5.
fn look_up(asm: &mut Asm, map: u16, key: Slot) {
    asm.map(R1, MapRef::Own(map));
    asm.frame(R2, key);
    asm.call(Helper::MapLookup);
}

/// R7 = the word at R0, or [`STRANGER`] where that is null.
fn identity(asm: &mut Asm) {
    let (known, done) = (asm.label(), asm.label());
    asm.jump_if(Cond::Ne, R0, 0, known);
    asm.mov(R7, STRANGER);
    asm.jump(done);
    asm.bind(known);
    asm.load(Size::Word, R7, R0, 0);
    asm.bind(done);
}

/// Ends: allow where R0 points at a verdict, else deny.
fn verdict(asm: &mut Asm) {
    let deny = asm.label();
    asm.jump_if(Cond::Eq, R0, 0, deny);
    allow(asm);
    asm.bind(deny);
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
}

fn allow(asm: &mut Asm) {
    asm.mov(R0, TCX_NEXT);
    asm.exit();
}

/// Goes on when protocol and port are those of a rule of one port, else leaves for `next`.
fn port(asm: &mut Asm, port: u16, next: Label) {
    asm.jump_if(Cond::Ne, R9, 6, next);
    asm.jump_if(Cond::Ne, R8, i32::from(port.to_be()), next);
}

/// An address as it stands in a packet.
fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn finish(asm: Asm, maps: Vec<Map>) -> Result<Shape, Error> {
    Ok(Shape { code: asm.finish(cfg!(target_endian = "little"))?, maps })
}
