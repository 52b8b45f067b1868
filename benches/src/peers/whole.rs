//! A whole path towards an endpoint: connection, identity, verdict, counters.
//!
//! Every packet: the clock, a look-up in an LRU hash of 262,144 connections (16-byte key, 56-byte value, as in Cilium's `struct
//! ct_entry`), two look-ups in tries, one in a hash of counters. An established flow renews its entry in place; a new one is inserted.
//! Cilium looks twice for a connection, keeps counters of each direction, and checks lifetimes by protocol and flags; left out here.

use super::{Shape, copy, finish, look_up, lpm, parse};
use crate::datapath::case::Case;
use crate::datapath::kernel::{self, Error};
use crate::datapath::wrap::{TC_ACT_SHOT, TCX_NEXT};
use ebpf::asm::{Alu, Asm, Atomic, Cond, Helper, Reg::*, Size, Slot};
use flow::Family;
use image::{MapKind, MapRef};

/// 16 bytes, of IPv6 40: addresses, ports, protocol, direction.
const TUPLE: Slot = Slot(-104);
/// 56 bytes: a connection that is about to be inserted.
const ENTRY: Slot = Slot(-160);
const ENTRY_SIZE: u32 = 56;
/// 8 bytes: the time.
const NOW: Slot = Slot(-64);
/// 8 bytes: reason and direction of a counter.
const METRIC: Slot = Slot(-48);
/// 8 bytes: 1 for a connection that is known.
const KNOWN: Slot = Slot(-56);
/// How many connections there may be.
const CONNECTIONS: usize = 1 << 18;
/// How long a connection lives without a packet.
const LIFETIME_NS: u64 = 60_000_000_000;

/// Kernel functions that a packet of an established flow calls: clock, connection, identity, verdict, counters.
pub const CALLS: usize = 5;

/// Indices of maps.
const ADDRESSES: u16 = 0;
const POLICY: u16 = 1;
const TRACK: u16 = 2;
const METRICS: u16 = 3;

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm, case.family);
    lpm::source(&mut asm, case.family);
    let (miss, judge, deny, counted) = (asm.label(), asm.label(), asm.label(), asm.label());
    let tuple_size = tuple(&mut asm, case.family);
    asm.call(Helper::KtimeNs);
    asm.put(Size::Double, NOW, R0);
    look_up(&mut asm, TRACK, TUPLE);
    asm.jump_if(Cond::Eq, R0, 0, miss);
    asm.get(Size::Double, R1, NOW);
    asm.load(Size::Double, R2, R0, 0);
    asm.jump_if(Cond::Lt, R2, R1, miss);
    renew(&mut asm);
    asm.put_imm(Size::Double, KNOWN, 1);
    asm.jump(judge);
    asm.bind(miss);
    asm.put_imm(Size::Double, KNOWN, 0);
    asm.bind(judge);
    lpm::decide(&mut asm, case.family, ADDRESSES, POLICY);
    asm.jump_if(Cond::Eq, R0, 0, deny);
    asm.get(Size::Double, R1, KNOWN);
    asm.jump_if(Cond::Ne, R1, 0, counted);
    insert(&mut asm);
    asm.bind(counted);
    count(&mut asm, 0);
    asm.mov(R0, TCX_NEXT);
    asm.exit();
    asm.bind(deny);
    count(&mut asm, 1);
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
    let mut maps = lpm::maps(case)?;
    maps.push(kernel::map(MapKind::LruHash, tuple_size, ENTRY_SIZE, CONNECTIONS)?);
    let metrics = kernel::map(MapKind::Hash, 8, 16, 1024)?;
    for reason in 0..2u64 {
        metrics.update(&reason.to_ne_bytes(), &[0; 16])?;
    }
    maps.push(metrics);
    finish(asm, maps)
}

/// The key of the connection, from both addresses on to the ports; its size.
fn tuple(asm: &mut Asm, family: Family) -> u32 {
    let (addresses, words) = match family {
        Family::V4 => (26, 3),
        Family::V6 => (22, 9),
    };
    copy(asm, addresses, TUPLE, words);
    asm.put_imm(Size::Word, TUPLE.at(4 * words), 0);
    asm.put(Size::Byte, TUPLE.at(4 * words), R9);
    4 * words + 4
}

/// Lifetime, packets and bytes of the entry at R0; R1 is the time.
fn renew(asm: &mut Asm) {
    asm.constant(R2, LIFETIME_NS);
    asm.alu(Alu::Add, R2, R1);
    asm.store(Size::Double, R0, 0, R2);
    asm.mov(R2, 1);
    asm.atomic(Atomic::Add, R0, 8, R2);
    asm.load(Size::Word, R2, R6, 0);
    asm.atomic(Atomic::Add, R0, 16, R2);
}

fn insert(asm: &mut Asm) {
    for at in (16..ENTRY_SIZE).step_by(8) {
        asm.put_imm(Size::Double, ENTRY.at(at), 0);
    }
    asm.get(Size::Double, R1, NOW);
    asm.constant(R2, LIFETIME_NS);
    asm.alu(Alu::Add, R2, R1);
    asm.put(Size::Double, ENTRY, R2);
    asm.put_imm(Size::Double, ENTRY.at(8), 1);
    asm.map(R1, MapRef::Own(TRACK));
    asm.frame(R2, TUPLE);
    asm.frame(R3, ENTRY);
    asm.mov(R4, 0);
    asm.call(Helper::MapUpdate);
}

/// One more packet for a reason.
fn count(asm: &mut Asm, reason: i32) {
    let missing = asm.label();
    asm.put_imm(Size::Double, METRIC, reason);
    look_up(asm, METRICS, METRIC);
    asm.jump_if(Cond::Eq, R0, 0, missing);
    asm.mov(R1, 1);
    asm.atomic(Atomic::Add, R0, 0, R1);
    asm.load(Size::Word, R1, R6, 0);
    asm.atomic(Atomic::Add, R0, 8, R1);
    asm.bind(missing);
}
