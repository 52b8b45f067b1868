//! Two look-ups in tries: who it is, and whether that one may.
//!
//! Policy keys as in Cilium's `struct policy_key` (12 bytes): length, identity, direction, protocol, port. A second look-up there, for
//! rules of any identity, is left out.

use super::{Shape, bytes, copy, finish, identity, look_up, parse, verdict};
use crate::datapath::case::Case;
use crate::datapath::kernel::{self, Error};
use ebpf::asm::{Asm, Reg::*, Size, Slot};
use flow::Family;
use image::MapKind;
use loader::sys::map::Map;

const ADDRESS: Slot = Slot(-24);
const POLICY: Slot = Slot(-40);

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm, case.family);
    source(&mut asm, case.family);
    decide(&mut asm, case.family, 0, 1);
    verdict(&mut asm);
    finish(asm, maps(case)?)
}

/// Keeps the source address of the packet at R2 for [`decide`]. Clobbers R1.
pub(super) fn source(asm: &mut Asm, family: Family) {
    match family {
        Family::V4 => asm.put(Size::Word, ADDRESS.at(4), R7),
        Family::V6 => copy(asm, 22, ADDRESS.at(4), 4),
    }
}

/// R0 = the verdict of the source, R8 and R9, or null. The maps of addresses and of verdicts are these.
pub(super) fn decide(asm: &mut Asm, family: Family, addresses: u16, policy: u16) {
    asm.put_imm(Size::Word, ADDRESS, if family == Family::V4 { 32 } else { 128 });
    look_up(asm, addresses, ADDRESS);
    identity(asm);
    asm.put_imm(Size::Word, POLICY, 64);
    asm.put(Size::Word, POLICY.at(4), R7);
    asm.put_imm(Size::Byte, POLICY.at(8), 0);
    asm.put(Size::Byte, POLICY.at(9), R9);
    asm.put(Size::Half, POLICY.at(10), R8);
    look_up(asm, policy, POLICY);
}

/// Addresses, then verdicts.
pub(super) fn maps(case: &Case) -> Result<Vec<Map>, Error> {
    let members = case.members().count();
    let (above, key_size) = if case.family == Family::V4 { (0, 8) } else { (96, 20) };
    let addresses = kernel::map(MapKind::LpmTrie, key_size, 4, members)?;
    let policy = kernel::map(MapKind::LpmTrie, 12, 4, members)?;
    for allow in &case.allows {
        // A range is one entry where it is all that share some leading bits; cases have no others.
        let (first, last) = allow.ports;
        let port_bits = 16 - (first ^ last).count_ones();
        for member in &allow.members {
            let mut key = (above + u32::from(member.len)).to_ne_bytes().to_vec();
            key.extend(bytes(case.address(member.address)));
            addresses.update(&key, &member.peer.to_ne_bytes())?;
            let mut key = [(48 + port_bits).to_ne_bytes(), member.peer.to_ne_bytes()].concat();
            key.extend([0, 6]);
            key.extend(first.to_be_bytes());
            policy.update(&key, &1u32.to_ne_bytes())?;
        }
    }
    Ok(vec![addresses, policy])
}
