//! Machine code beside the interpreter, on programs that follow the instruction set and then do what they like: the same action, count,
//! fault, packet, tables and maps.

#[path = "../../vm/tests/common/mod.rs"]
mod common;

use image::{Hook, Image, MapRef, NodeMap};
use maps::NodeMaps;
use proptest::prelude::*;
use vm::instruction::{Instruction, class};
use vm::{Context, What};

fn i(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Instruction {
    Instruction { code, dst, src, off, imm: i64::from(imm) }
}

/// What every program begins with: r6 is the context, r7 and r8 begin and end of the packet, r9 a table that may be read, r5 one
/// that may be written too, r4 a map, r2 its key on the stack, r3 a number.
const WIDE: [(u8, MapRef, Option<u32>); 3] =
    [(9, MapRef::Own(0), Some(0)), (5, MapRef::Own(1), Some(0)), (4, MapRef::Node(NodeMap::Address6Exact), None)];

fn image(body: &[Instruction], little_endian: bool) -> Image {
    let mut code = vec![i(0xbf, 6, 1, 0, 0), i(0x61, 7, 1, 76, 0), i(0x61, 8, 1, 80, 0)];
    let mut relocs = Vec::new();
    for (register, map, value_offset) in WIDE {
        relocs.push((code.len() as u32, map, value_offset));
        code.extend([i(0x18, register, 0, 0, 0), i(0, 0, 0, 0, 0)]);
    }
    code.extend([i(0xbf, 2, 10, 0, 0), i(0x07, 2, 0, 0, -24), i(0xb7, 3, 0, 0, 3), i(0xb7, 0, 0, 0, 7)]);
    code.extend((1..=4).map(|slot| i(0x7a, 10, 0, -8 * slot, slot.into())));
    code.extend(body);
    code.push(i(0x95, 0, 0, 0, 0));
    common::image(&[code], &relocs, little_endian)
}

fn alu() -> impl Strategy<Value = Instruction> {
    let op = (0..13u8).prop_map(|op| op << 4);
    let class = prop_oneof![Just(4u8), Just(7)];
    let imm = prop_oneof![any::<i32>(), -2..70i32];
    (op, class, any::<bool>(), 0..10u8, 0..11u8, imm, 0..4usize).prop_map(|(op, class, by, dst, src, imm, form)| {
        let by = by && op != 0x80;
        let (src, imm) = if by { (src, 0) } else { (0, if op == 0x80 { 0 } else { imm }) };
        let off = match op {
            0x30 | 0x90 => [0, 1, 0, 1][form],
            0xb0 if by => [0, 8, 16, if class == 7 { 32 } else { 0 }][form],
            _ => 0,
        };
        i(op | class | u8::from(by) << 3, dst, src, off, imm)
    })
}

fn swap() -> impl Strategy<Value = Instruction> {
    let bits = prop_oneof![Just(16), Just(32), Just(64)];
    (prop_oneof![Just(0xd4u8), Just(0xdc), Just(0xd7)], 0..10u8, bits)
        .prop_map(|(code, dst, bits)| i(code, dst, 0, 0, bits))
}

/// Bases that lead somewhere more often than not.
fn base() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(10u8), 3 => Just(7u8), 2 => Just(9u8), 2 => Just(5u8), 2 => Just(6u8), 1 => Just(0u8), 1 => Just(2u8), 1 => 0..11u8]
}

fn memory() -> impl Strategy<Value = Instruction> {
    let size = (0..4u8).prop_map(|size| size << 3);
    let off = prop_oneof![4 => 0..24i16, 3 => (-8..0i16).prop_map(|off| off * 8), 2 => (0..48i16).prop_map(|off| off * 4), 1 => any::<i16>()];
    (size, off, base(), 0..10u8, 0..5u8, any::<i32>()).prop_map(|(size, off, base, other, form, imm)| match form {
        0 | 1 => i(0x61 | size, other, base, off, 0),
        2 if size != 0x18 => i(0x81 | size, other, base, off, 0),
        3 => i(0x62 | size, base, 0, off, imm),
        _ => i(0x63 | size, base, other, off, 0),
    })
}

fn atomic() -> impl Strategy<Value = Instruction> {
    let imm =
        prop_oneof![Just(0x00), Just(0x40), Just(0x51), Just(0xa1), Just(0xe1), Just(0xf1), Just(0x100), Just(0x110)];
    (any::<bool>(), prop_oneof![Just(10u8), Just(5), Just(9)], 0..10u8, -3..3i16, imm).prop_map(
        |(wide, base, other, slot, imm)| {
            let (dst, src) = if imm == 0x100 { (other, base) } else { (base, other) };
            i(if wide { 0xdb } else { 0xc3 }, dst, src, slot * 8, imm)
        },
    )
}

fn jump() -> impl Strategy<Value = Instruction> {
    let op = prop_oneof![(0..8u8).prop_map(|n| n << 4), (10..14u8).prop_map(|n| n << 4)];
    let off = prop_oneof![6 => 0..4i16, 1 => -4..0i16];
    (op, any::<bool>(), any::<bool>(), 0..11u8, 0..11u8, prop_oneof![any::<i32>(), 0..8i32], off).prop_map(
        |(op, wide, by, dst, src, imm, off)| match op {
            0 => i(0x05, 0, 0, off, 0),
            _ if by => i(op | if wide { 5 } else { 6 } | 8, dst, src, off, 0),
            _ => i(op | if wide { 5 } else { 6 }, dst, 0, off, imm),
        },
    )
}

/// A helper with arguments that may please it.
fn call() -> impl Strategy<Value = Vec<Instruction>> {
    let id = prop_oneof![
        Just(1),
        Just(2),
        Just(3),
        Just(5),
        Just(7),
        Just(8),
        Just(26),
        Just(39),
        Just(118),
        Just(131),
        Just(99)
    ];
    (id, any::<bool>()).prop_map(|(id, kindly)| {
        let mut code = Vec::new();
        if kindly {
            let first = if matches!(id, 26 | 39) { 6 } else { 4 };
            code.push(i(0xbf, 1, first, 0, 0));
            code.extend(match id {
                26 => vec![i(0xb7, 2, 0, 0, 2), i(0xbf, 3, 10, 0, 0), i(0x07, 3, 0, 0, -16), i(0xb7, 4, 0, 0, 8)],
                39 => vec![i(0xb7, 2, 0, 0, 30)],
                _ => vec![
                    i(0xbf, 2, 10, 0, 0),
                    i(0x07, 2, 0, 0, -24),
                    i(0xbf, 3, 10, 0, 0),
                    i(0x07, 3, 0, 0, -32),
                    i(0xb7, 4, 0, 0, 0),
                ],
            });
        }
        code.push(i(0x85, 0, 0, 0, id));
        // What a call takes away comes back, so that what follows has somewhere to go.
        code.extend([i(0x61, 7, 6, 76, 0), i(0xbf, 5, 9, 0, 0), i(0xb7, 1, 0, 0, 1), i(0xb7, 3, 0, 0, 9)]);
        code
    })
}

fn piece() -> impl Strategy<Value = Vec<Instruction>> {
    let one = |insn| vec![insn];
    prop_oneof![
        4 => alu().prop_map(one),
        1 => swap().prop_map(one),
        6 => memory().prop_map(one),
        1 => atomic().prop_map(one),
        2 => jump().prop_map(one),
        1 => call(),
    ]
}

/// Everything that a run leaves behind.
fn left(maps: &mut NodeMaps, tables: &maps::OwnTables, packet: &[u8]) -> String {
    let values: Vec<_> = NodeMap::ALL.iter().map(|&map| format!("{:?}", maps.get(map))).collect();
    format!("{values:?} {tables:?} {packet:02x?} {:?}", maps.take_records())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn machine_code_does_what_the_interpreter_does(
        body in proptest::collection::vec(piece(), 1..40),
        packet in proptest::collection::vec(any::<u8>(), 0..64),
        linear in 0..64usize,
        little_endian in prop_oneof![3 => Just(true), 1 => Just(false)],
        budget in prop_oneof![3 => Just(400u64), 1 => 0..60u64],
    ) {
        let body = body.concat();
        let loops = body.iter().any(|insn| matches!(insn.class(), class::JMP | class::JMP32) && insn.off < 0);
        let image = image(&body, little_endian);
        // Jumps past the end are refused by both, alike.
        let Ok(mut interpreted) = vm::Machine::load(&image) else {
            prop_assert!(native::Machine::load(&image).is_err());
            return Ok(());
        };
        let mut compiled = native::Machine::load(&image).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let context = Context { linear: Some(linear), budget, now_ns: 5, now_jiffies: 9, ..Context::default() };
        let (mut a, mut b) = (NodeMaps::new(&image.target), NodeMaps::new(&image.target));
        // Twice, since what the first run left behind is there in the second; and once more within a session.
        for session in [1, 2] {
            let expected = (0..session).map(|_| interpreted.run(&mut a, Hook::ToEndpoint, &packet, &context)).last().unwrap();
            let mut runs = compiled.session(&mut b, Hook::ToEndpoint).unwrap();
            let found = (0..session).map(|_| runs.run(&packet, &context)).last().unwrap();
            if loops && found.is_err_and(|fault| fault.what == What::Budget) {
                // It looks at the budget at the beginning of a block; the interpreter may find another fault inside.
                prop_assert!(expected.is_err(), "{expected:?}");
                return Ok(());
            }
            prop_assert_eq!(found, expected);
            let what = left(&mut b, compiled.tables(), compiled.packet());
            prop_assert_eq!(what, left(&mut a, interpreted.tables(), interpreted.packet()));
        }
    }
}
