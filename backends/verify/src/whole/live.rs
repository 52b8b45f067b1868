//! What may still be read: registers and bytes of the frame, at every instruction. It only makes paths alike sooner: what is forgotten
//! too early cannot be read any more, and a program that does is refused.

use super::machine::{FRAME, Machine};
use crate::insn::{EXIT, JUMP};
use crate::template::registers;
use image::{MapRef, NodeMap};

/// Registers as bits, and bytes of the frame.
#[derive(Clone, Copy, Default)]
pub struct Live {
    pub registers: u16,
    frame: [u64; FRAME / 64],
}

impl Live {
    pub fn has(&self, byte: usize) -> bool {
        self.frame[byte / 64] >> (byte % 64) & 1 == 1
    }

    fn bytes(&mut self, at: i64, len: usize, live: bool) {
        for byte in (at + FRAME as i64..).take(len).filter_map(|it| usize::try_from(it).ok()).filter(|it| *it < FRAME) {
            let bit = 1 << (byte % 64);
            self.frame[byte / 64] = if live { self.frame[byte / 64] | bit } else { self.frame[byte / 64] & !bit };
        }
    }

    fn or(&mut self, other: &Live) {
        self.registers |= other.registers;
        for (one, other) in self.frame.iter_mut().zip(other.frame) {
            *one |= other;
        }
    }
}

/// One a instruction. Jumps lead forward, so one pass from the end finds all.
pub fn live(machine: &Machine) -> Vec<Live> {
    let insns = &machine.insns;
    let mut all = vec![Live::default(); insns.len() + 1];
    for at in (0..insns.len()).rev() {
        let insn = insns[at];
        let mut here = if matches!(insn.opcode, EXIT | JUMP) { Live::default() } else { all[at + 1] };
        if (insn.jumps() || insn.opcode == JUMP)
            && let Some(to) = usize::try_from(insn.offset).ok().and_then(|offset| all.get(at + 1 + offset))
        {
            here.or(&to.clone());
        }
        let (reads, writes) = registers(insn);
        here.registers = here.registers & !writes | reads;
        let (offset, width) = (i64::from(insn.offset), insn.width());
        match (insn.class(), insn.opcode & 0xe0) {
            (1, 0x60) if insn.src == 10 => here.bytes(offset, width, true),
            (2 | 3, 0x60) if insn.dst == 10 => here.bytes(offset, width, false),
            // The address of bytes of the frame: an argument of a call, or where addresses stand.
            (7, _) if insn.opcode == 0xbf && insn.src == 10 => {
                let further = insns.get(at + 1).map_or(0, |next| i64::from(next.imm));
                here.bytes(further, size(machine, at, insn.dst), true);
            }
            _ => {}
        }
        all[at] = here;
    }
    all
}

/// How many bytes are read at an address that is loaded into a register: as many as the map before it has in a key.
fn size(machine: &Machine, at: usize, register: u8) -> usize {
    let near = |reloc: &&image::Reloc| (at.saturating_sub(4)..at).contains(&(reloc.at as usize));
    match machine.program.relocs.iter().rev().find(near).map(|reloc| (reloc.map, reloc.value_offset)) {
        Some((MapRef::Node(NodeMap::Records), None)) => image::layout::record::SIZE as usize,
        Some((MapRef::Node(map), None)) if register == 2 => map.spec(&machine.image.target).key_size as usize,
        Some((MapRef::Node(map), None)) => map.spec(&machine.image.target).value_size as usize,
        _ => 16,
    }
}
