//! The same programs in `rbpf`'s interpreter: a second opinion on arithmetic and jumps.

mod common;
use common::{exit, i, result, wide};
use proptest::prelude::*;
use vm::instruction::Instruction;

/// Operations on which both follow the same edition of the instruction set: no signed division or sign-extending moves, and no
/// 32-bit `mod`, whose result by zero `rbpf` leaves unspecified in the high half.
fn arithmetic() -> impl Strategy<Value = Instruction> {
    let op = prop_oneof![
        Just(0x00u8),
        Just(0x10),
        Just(0x20),
        Just(0x40),
        Just(0x50),
        Just(0x60),
        Just(0x70),
        Just(0xa0),
        Just(0xb0),
        Just(0xc0),
    ];
    let imm = prop_oneof![any::<i32>(), -2..70i32];
    (op, prop_oneof![Just(4u8), Just(7)], any::<bool>(), 0..6u8, 0..6u8, imm).prop_map(
        |(op, class, register, dst, src, imm)| {
            let (src, imm) = if register { (src, 0) } else { (0, imm) };
            // A shift by an immediate beyond the width is refused by the kernel.
            let imm = if matches!(op, 0x60 | 0x70 | 0xc0) { imm & 31 } else { imm };
            Instruction { code: op | class | u8::from(register) << 3, dst, src, off: 0, imm: i64::from(imm) }
        },
    )
}

fn jump() -> impl Strategy<Value = Instruction> {
    let op = prop_oneof![(1..8u8).prop_map(|n| n << 4), (10..14u8).prop_map(|n| n << 4)];
    (op, prop_oneof![Just(5u8), Just(6)], any::<bool>(), 0..6u8, 0..6u8, any::<i32>()).prop_map(
        |(op, class, register, dst, src, imm)| {
            // The instruction set sign-extends every immediate; `rbpf` does not for unsigned 64-bit comparisons.
            let imm = if class == 5 && matches!(op, 0x20 | 0x30 | 0xa0 | 0xb0) { imm & i32::MAX } else { imm };
            let (src, imm) = if register { (src, 0) } else { (0, imm) };
            Instruction { code: op | class | u8::from(register) << 3, dst, src, off: 1, imm: i64::from(imm) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn arithmetic_and_jumps_agree(
        start in proptest::collection::vec(prop_oneof![any::<u64>(), 0..4u64, Just(u64::MAX), Just(1 << 63)], 6),
        body in proptest::collection::vec(prop_oneof![3 => arithmetic(), 1 => jump()], 1..40),
    ) {
        let setup: Vec<_> = start.iter().enumerate().flat_map(|(register, &value)| wide(register as u8, value)).collect();
        // A jump at the end skips a move of r0 to itself; the sum of all registers is the answer.
        let fold: Vec<_> = (1..6).flat_map(|register| [i(0x27, 0, 0, 0, 31), i(0x0f, 0, register, 0, 0)]).flatten().collect();
        let program = [setup, body, i(0xbf, 0, 0, 0, 0), fold].concat();
        let bytes: Vec<u8> =
            program.iter().chain(&exit()).flat_map(|insn| insn.encode(true).to_le_bytes()).collect();
        let theirs = rbpf::EbpfVmNoData::new(Some(&bytes)).unwrap().execute_program().unwrap();
        prop_assert_eq!(result(&[program], true), theirs);
    }
}
