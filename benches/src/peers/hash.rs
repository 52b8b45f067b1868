//! Two dependent look-ups in hashes: for cases of single addresses and single ports only.

use super::{Shape, bytes, copy, finish, identity, look_up, parse, verdict};
use crate::datapath::case::Case;
use crate::datapath::kernel::{self, Error};
use ebpf::asm::{Asm, Reg::*, Size, Slot};
use flow::Family;
use image::MapKind;

const ADDRESS: Slot = Slot(-16);
const POLICY: Slot = Slot(-24);

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm, case.family);
    let key_size = match case.family {
        Family::V4 => {
            asm.put(Size::Word, ADDRESS, R7);
            4
        }
        Family::V6 => {
            copy(&mut asm, 22, ADDRESS, 4);
            16
        }
    };
    look_up(&mut asm, 0, ADDRESS);
    identity(&mut asm);
    asm.put(Size::Word, POLICY, R7);
    asm.put_imm(Size::Byte, POLICY.at(4), 0);
    asm.put(Size::Byte, POLICY.at(5), R9);
    asm.put(Size::Half, POLICY.at(6), R8);
    look_up(&mut asm, 1, POLICY);
    verdict(&mut asm);
    let members = case.members().count();
    let addresses = kernel::map(MapKind::Hash, key_size, 4, members)?;
    let policy = kernel::map(MapKind::Hash, 8, 4, members)?;
    for allow in &case.allows {
        for member in &allow.members {
            addresses.update(&bytes(case.address(member.address)), &member.peer.to_ne_bytes())?;
            let mut key = member.peer.to_ne_bytes().to_vec();
            key.extend([0, 6]);
            key.extend(allow.ports.0.to_be_bytes());
            policy.update(&key, &1u32.to_ne_bytes())?;
        }
    }
    finish(asm, vec![addresses, policy])
}
