//! Rule after rule, each with a set of addresses: a key is built and looked up in one trie of all sets. For rules of one port.
//!
//! Keys as in Calico's `struct ip_set_key` (20 bytes): length, set, address, port, protocol, padding.

use super::{Shape, allow, finish, look_up, parse, port};
use crate::datapath::case::Case;
use crate::datapath::kernel::{self, Error};
use crate::datapath::wrap::TC_ACT_SHOT;
use ebpf::asm::{Asm, Cond, Reg::*, Size, Slot};
use flow::Family;
use image::MapKind;

const KEY: Slot = Slot(-24);
/// Bits of set and address: what the entries of a set are stored with.
const ENTRY_BITS: u32 = 64 + 32;
/// Bits of a whole key.
const KEY_BITS: i32 = 64 + 32 + 32;

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm, Family::V4);
    let sets = kernel::map(MapKind::LpmTrie, 20, 4, case.members().count())?;
    for (set, rule) in (1u64..).zip(&case.allows) {
        let next = asm.label();
        asm.put_imm(Size::Word, KEY, KEY_BITS);
        // Half after half: an immediate store of eight bytes would extend a sign.
        asm.put_imm(Size::Word, KEY.at(4), 0);
        asm.put_imm(Size::Word, KEY.at(8), (set as u32).to_be() as i32);
        asm.put(Size::Word, KEY.at(12), R7);
        asm.put(Size::Half, KEY.at(16), R8);
        asm.put(Size::Byte, KEY.at(18), R9);
        asm.put_imm(Size::Byte, KEY.at(19), 0);
        look_up(&mut asm, 0, KEY);
        asm.jump_if(Cond::Eq, R0, 0, next);
        port(&mut asm, rule.ports.0, next);
        allow(&mut asm);
        asm.bind(next);
        for member in &rule.members {
            let mut key = (ENTRY_BITS - 32 + u32::from(member.len)).to_ne_bytes().to_vec();
            key.extend(set.to_be_bytes());
            key.extend(member.address.to_be_bytes());
            key.extend([0; 4]);
            sets.update(&key, &1u32.to_ne_bytes())?;
        }
    }
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
    finish(asm, vec![sets])
}
