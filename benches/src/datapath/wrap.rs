//! The instructions in front of what is measured: the next flow of a ring goes into the packet.

use super::case::{Flow, SLOTS};
use ebpf::asm::{Alu, Asm, AsmError, Assembled, Cond, Reg::*, Size};
use image::{MapRef, Reloc};

/// Bytes of a slot: source address, source port, destination port, as in the packet.
const SLOT: usize = 8;
/// Where in the packet the source address stands, and the ports.
const SOURCE: i16 = 26;
const PORTS: i16 = 34;
/// How many of the last instructions only stand for a program.
const STUB: usize = 2;

/// A ring as the value of an array map.
pub fn ring_bytes(ring: &[Flow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ring.len() * SLOT);
    for flow in ring {
        bytes.extend(flow.source.to_be_bytes());
        bytes.extend(flow.source_port.to_be_bytes());
        bytes.extend(flow.port.to_be_bytes());
    }
    bytes
}

/// The instructions in front, and after them a program that lets the packet pass: what all shapes are compared with.
///
/// `ring` holds [`SLOTS`] slots, `turn` eight bytes, the number of packets so far. With `new`, the destination port of each turn of the
/// ring is another one of the upper half, so that no flow comes twice.
pub fn baseline(ring: MapRef, turn: MapRef, new: bool) -> Result<Assembled, AsmError> {
    let mut asm = Asm::new();
    let fits = asm.label();
    asm.mov(R6, R1);
    asm.value(R7, turn, 0);
    asm.load(Size::Double, R8, R7, 0);
    asm.mov(R9, R8);
    asm.alu(Alu::Add, R9, 1);
    asm.store(Size::Double, R7, 0, R9);
    asm.mov(R5, R8);
    asm.alu(Alu::Shr, R5, SLOTS.trailing_zeros() as i32);
    asm.alu(Alu::And, R8, SLOTS as i32 - 1);
    asm.alu(Alu::Shl, R8, SLOT.trailing_zeros() as i32);
    asm.value(R9, ring, 0);
    asm.alu(Alu::Add, R9, R8);
    asm.load(Size::Word, R2, R6, skb::DATA);
    asm.load(Size::Word, R3, R6, skb::DATA_END);
    asm.mov(R4, R2);
    asm.alu(Alu::Add, R4, i32::from(PORTS) + 4);
    asm.jump_if(Cond::Le, R4, R3, fits);
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
    asm.bind(fits);
    asm.load(Size::Word, R4, R9, 0);
    asm.store(Size::Word, R2, SOURCE, R4);
    asm.load(Size::Word, R4, R9, 4);
    asm.store(Size::Word, R2, PORTS, R4);
    if new {
        asm.alu(Alu::Or, R5, 1 << 15);
        asm.swap(R5, 16);
        asm.store(Size::Half, R2, PORTS + 2, R5);
    }
    asm.mov(R1, R6);
    asm.mov(R0, TCX_NEXT);
    asm.exit();
    // Words are those of this machine: what is measured runs here.
    asm.finish(cfg!(target_endian = "little"))
}

/// A program with the instructions in front.
pub fn wrap(baseline: &Assembled, insns: &[u64], relocs: &[Reloc]) -> Assembled {
    let mut whole = baseline.clone();
    whole.insns.truncate(whole.insns.len() - STUB);
    let moved = whole.insns.len() as u32;
    whole.insns.extend_from_slice(insns);
    whole.relocs.extend(relocs.iter().map(|reloc| Reloc { at: reloc.at + moved, ..*reloc }));
    whole
}

/// Offsets into `struct __sk_buff`.
pub mod skb {
    /// Start of the packet.
    pub const DATA: i16 = 76;
    /// End of its linear part.
    pub const DATA_END: i16 = 80;
}

/// The packet passes.
pub const TCX_NEXT: i32 = -1;
/// The packet is dropped.
pub const TC_ACT_SHOT: i32 = 2;
