//! Relocation: the descriptors of maps into the wide loads that refer to them.

use crate::sys::map::Map;
use image::{MapRef, Program};
use std::os::fd::{AsFd, AsRawFd};

/// `BPF_LD | BPF_IMM | BPF_DW`, the first word of a wide load.
const WIDE_LOAD: u8 = 0x18;
/// `BPF_PSEUDO_MAP_FD`: the immediate is a map.
const MAP: u8 = 1;
/// `BPF_PSEUDO_MAP_VALUE`: the immediate is a map, the second word's the offset into its first value.
const MAP_VALUE: u8 = 2;

/// The program's instructions with every map filled in. Errors: what is wrong with the relocations.
pub fn relocate<'m>(
    program: &Program,
    map: impl Fn(MapRef) -> Option<&'m Map>,
) -> std::result::Result<Vec<u64>, String> {
    let mut insns = program.insns.clone();
    for reloc in &program.relocs {
        let fault = |what: &str| format!("program {}, relocation at {}: {what}", program.name, reloc.at);
        let map = map(reloc.map).ok_or_else(|| fault("no such table"))?;
        let at = reloc.at as usize;
        let [first, second] =
            insns.get_mut(at..).and_then(|rest| rest.first_chunk_mut()).ok_or_else(|| fault("beyond the end"))?;
        if first.to_ne_bytes()[0] != WIDE_LOAD {
            return Err(fault("not a wide load"));
        }
        let (source, offset) = reloc.value_offset.map_or((MAP, 0), |offset| (MAP_VALUE, offset));
        *first = with_source(with_immediate(*first, map.as_fd().as_raw_fd() as u32), source);
        *second = with_immediate(*second, offset);
    }
    Ok(insns)
}

fn with_immediate(word: u64, immediate: u32) -> u64 {
    let mut bytes = word.to_ne_bytes();
    bytes[4..].copy_from_slice(&immediate.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

/// Registers share a byte: bit fields, so the destination comes first in memory order of the machine.
fn with_source(word: u64, source: u8) -> u64 {
    let mut bytes = word.to_ne_bytes();
    bytes[1] = if cfg!(target_endian = "little") { bytes[1] & 0x0f | source << 4 } else { bytes[1] & 0xf0 | source };
    u64::from_ne_bytes(bytes)
}
