//! Two dependent look-ups in hashes: for cases of single addresses and single ports only.

use super::{Shape, finish, identity, look_up, parse, verdict};
use crate::datapath::case::Case;
use crate::datapath::kernel::{self, Error};
use ebpf::asm::{Asm, Reg::*, Size, Slot};
use image::MapKind;

const ADDRESS: Slot = Slot(-4);
const POLICY: Slot = Slot(-16);

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm);
    asm.put(Size::Word, ADDRESS, R7);
    look_up(&mut asm, 0, ADDRESS);
    identity(&mut asm);
    asm.put(Size::Word, POLICY, R7);
    asm.put_imm(Size::Byte, POLICY.at(4), 0);
    asm.put(Size::Byte, POLICY.at(5), R9);
    asm.put(Size::Half, POLICY.at(6), R8);
    look_up(&mut asm, 1, POLICY);
    verdict(&mut asm);
    let members = case.members().count();
    let addresses = kernel::map(MapKind::Hash, 4, 4, members)?;
    let policy = kernel::map(MapKind::Hash, 8, 4, members)?;
    for allow in &case.allows {
        for member in &allow.members {
            addresses.update(&member.address.to_be_bytes(), &member.peer.to_ne_bytes())?;
            let mut key = member.peer.to_ne_bytes().to_vec();
            key.extend([0, 6]);
            key.extend(allow.ports.0.to_be_bytes());
            policy.update(&key, &1u32.to_ne_bytes())?;
        }
    }
    finish(asm, vec![addresses, policy])
}
