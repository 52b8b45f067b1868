//! The instructions in front of what is measured: the next flow of a ring goes into the packet.

use super::case::{Flow, SLOTS};
use ebpf::asm::{Alu, Asm, AsmError, Assembled, Cond, Reg::*, Size};
use flow::Family;
use image::{MapRef, Reloc};

/// Bytes of a slot: source address, source port, destination port, as in the packet.
const SLOT: usize = 8;
/// Where in the packet the lane stands: the low bit of the source's hardware address.
pub const LANE: usize = 11;
/// Bytes from the turn of one lane to that of the other: no line of a cache holds both.
const TURN_LOG2: i32 = 7;
/// Bytes of the turns.
pub const TURNS: u32 = 2 << TURN_LOG2;
/// How many of the last instructions only stand for a program.
const STUB: usize = 2;

/// What stands in front of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// Of which family the frame is.
    pub family: Family,
    /// What becomes of the flows of a ring.
    pub flows: Flows,
    /// How many go through the ring at once.
    pub lanes: Lanes,
}

/// What becomes of the flows of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flows {
    /// They come again and again.
    Kept,
    /// Each turn has another destination port of the upper half, so that no flow comes twice.
    New,
}

/// How many go through a ring at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// One.
    One,
    /// Two, each through its half; the frame says which.
    Two,
}

impl Front {
    /// One at a time.
    pub fn one(family: Family, flows: Flows) -> Front {
        Front { family, flows, lanes: Lanes::One }
    }

    /// Where in the packet the low 32 bits of the source address stand, and the ports.
    fn places(self) -> (i16, i16) {
        match self.family {
            Family::V4 => (26, 34),
            Family::V6 => (34, 54),
        }
    }
}

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
/// `ring` holds [`SLOTS`] slots, `turn` [`TURNS`] bytes: the number of packets so far, of each lane.
pub fn baseline(ring: MapRef, turn: MapRef, front: Front) -> Result<Assembled, AsmError> {
    let mut asm = Asm::new();
    let fits = asm.label();
    let (source, ports) = front.places();
    asm.mov(R6, R1);
    asm.load(Size::Word, R2, R6, skb::DATA);
    asm.load(Size::Word, R3, R6, skb::DATA_END);
    asm.mov(R4, R2);
    asm.alu(Alu::Add, R4, i32::from(ports) + 4);
    asm.jump_if(Cond::Le, R4, R3, fits);
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
    asm.bind(fits);
    asm.value(R7, turn, 0);
    let turn_log2 = match front.lanes {
        Lanes::One => SLOTS.trailing_zeros() as i32,
        Lanes::Two => {
            asm.load(Size::Byte, R0, R2, LANE as i16);
            asm.alu(Alu::And, R0, 1);
            asm.mov(R4, R0);
            asm.alu(Alu::Shl, R4, TURN_LOG2);
            asm.alu(Alu::Add, R7, R4);
            SLOTS.trailing_zeros() as i32 - 1
        }
    };
    asm.load(Size::Double, R8, R7, 0);
    asm.mov(R9, R8);
    asm.alu(Alu::Add, R9, 1);
    asm.store(Size::Double, R7, 0, R9);
    asm.mov(R5, R8);
    asm.alu(Alu::Shr, R5, turn_log2);
    asm.alu(Alu::And, R8, (1 << turn_log2) - 1);
    if front.lanes == Lanes::Two {
        asm.alu(Alu::Shl, R0, turn_log2);
        asm.alu(Alu::Or, R8, R0);
    }
    asm.alu(Alu::Shl, R8, SLOT.trailing_zeros() as i32);
    asm.value(R9, ring, 0);
    asm.alu(Alu::Add, R9, R8);
    asm.load(Size::Word, R4, R9, 0);
    asm.store(Size::Word, R2, source, R4);
    asm.load(Size::Word, R4, R9, 4);
    asm.store(Size::Word, R2, ports, R4);
    if front.flows == Flows::New {
        asm.alu(Alu::Or, R5, 1 << 15);
        asm.swap(R5, 16);
        asm.store(Size::Half, R2, ports + 2, R5);
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
