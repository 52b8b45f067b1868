//! Each class of instruction against results worked out by hand.
//! Source: Linux, `Documentation/bpf/standardization/instruction-set.rst`.

mod common;
use common::{i, result, wide};

const ALU64: u8 = 7;
const ALU: u8 = 4;

/// r0 = a; r2 = b; r0 = r0 op r2, with the operation in the register form.
fn alu(class: u8, op: u8, off: i16, a: u64, b: u64) -> u64 {
    result(&[wide(0, a), wide(2, b), i(op | 8 | class, 0, 2, off, 0)], true)
}

/// r0 = a; r0 = r0 op imm.
fn alu_imm(class: u8, op: u8, off: i16, a: u64, imm: i32) -> u64 {
    result(&[wide(0, a), i(op | class, 0, 0, off, imm)], true)
}

const MIN64: u64 = 1 << 63;
const MINUS: fn(u64) -> u64 = u64::wrapping_neg;

#[test]
fn arithmetic_of_64_bits_wraps() {
    for (op, off, a, b, expected) in [
        (0x00, 0, u64::MAX, 2, 1),
        (0x10, 0, 1, 2, u64::MAX),
        (0x20, 0, 1 << 63, 3, 1 << 63),
        (0x30, 0, MINUS(7), 2, 0x7fff_ffff_ffff_fffc),
        (0x30, 0, 7, 0, 0),
        (0x30, 1, MINUS(7), 2, MINUS(3)),
        (0x30, 1, MIN64, u64::MAX, MIN64),
        (0x30, 1, 7, 0, 0),
        (0x40, 0, 0xf0, 0x0f, 0xff),
        (0x50, 0, 0xf3, 0x35, 0x31),
        (0x60, 0, 1, 65, 2),
        (0x70, 0, MIN64, 63, 1),
        (0x90, 0, 7, 0, 7),
        (0x90, 0, MINUS(7), 4, 1),
        (0x90, 1, MINUS(7), 4, MINUS(3)),
        (0x90, 1, MIN64, u64::MAX, 0),
        (0x90, 1, MINUS(7), 0, MINUS(7)),
        (0xa0, 0, 0xff, 0x0f, 0xf0),
        (0xb0, 0, 1, 2, 2),
        (0xb0, 8, 0, 0x180, MINUS(128)),
        (0xb0, 16, 0, 0x1_8000, MINUS(0x8000)),
        (0xb0, 32, 0, 0x1_8000_0000, MINUS(0x8000_0000)),
        (0xc0, 0, MIN64, 62, MINUS(2)),
    ] {
        assert_eq!(alu(ALU64, op, off, a, b), expected, "{op:#x} off {off}: {a:#x}, {b:#x}");
    }
    assert_eq!(result(&[wide(0, 5), i(0x87, 0, 0, 0, 0)], true), MINUS(5));
}

#[test]
fn arithmetic_of_32_bits_clears_the_high_half() {
    const HIGH: u64 = 0xffff_ffff_0000_0000;
    for (op, off, a, b, expected) in [
        (0x00, 0, HIGH | 0xffff_ffff, 2, 1),
        (0x10, 0, HIGH, 1, 0xffff_ffff),
        (0x30, 0, HIGH | 7, HIGH, 0),
        (0x30, 1, 0x8000_0000, 0xffff_ffff, 0x8000_0000),
        (0x30, 1, 0xffff_fff9, 2, 0xffff_fffd),
        (0x90, 0, HIGH | 7, HIGH, 7),
        (0x90, 1, 0x8000_0000, 0xffff_ffff, 0),
        (0x60, 0, 1, 33, 2),
        (0x70, 0, HIGH | 0x8000_0000, 31, 1),
        (0xc0, 0, 0x8000_0000, 31, 0xffff_ffff),
        (0xb0, 0, HIGH, HIGH | 3, 3),
        (0xb0, 8, 0, 0x80, 0xffff_ff80),
        (0xb0, 16, 0, 0x8000, 0xffff_8000),
    ] {
        assert_eq!(alu(ALU, op, off, a, b), expected, "{op:#x} off {off}: {a:#x}, {b:#x}");
    }
    assert_eq!(result(&[wide(0, HIGH | 5), i(0x84, 0, 0, 0, 0)], true), 0xffff_fffb);
}

#[test]
fn an_immediate_is_sign_extended_to_the_width_of_the_operation() {
    assert_eq!(alu_imm(ALU64, 0xb0, 0, 0, -1), u64::MAX);
    assert_eq!(alu_imm(ALU, 0xb0, 0, 0, -1), 0xffff_ffff);
    assert_eq!(alu_imm(ALU64, 0x50, 0, u64::MAX, i32::MIN), 0xffff_ffff_8000_0000);
    assert_eq!(alu_imm(ALU64, 0x30, 0, u64::MAX, -1), 1);
    assert_eq!(alu_imm(ALU64, 0x30, 1, 10, -2), MINUS(5));
}

#[test]
fn byte_order_is_the_targets() {
    const VALUE: u64 = 0x0102_0304_0506_0708;
    // le16/32/64, be16/32/64, then the unconditional swaps.
    for (code, bits, on_little, on_big) in [
        (0xd4, 16, 0x0708, 0x0807),
        (0xd4, 32, 0x0506_0708, 0x0807_0605),
        (0xd4, 64, VALUE, 0x0807_0605_0403_0201),
        (0xdc, 16, 0x0807, 0x0708),
        (0xdc, 32, 0x0807_0605, 0x0506_0708),
        (0xdc, 64, 0x0807_0605_0403_0201, VALUE),
        (0xd7, 16, 0x0807, 0x0807),
        (0xd7, 32, 0x0807_0605, 0x0807_0605),
        (0xd7, 64, 0x0807_0605_0403_0201, 0x0807_0605_0403_0201),
    ] {
        let program = [wide(0, VALUE), i(code, 0, 0, 0, bits)];
        assert_eq!(result(&program, true), on_little, "{code:#x} {bits}");
        assert_eq!(result(&program, false), on_big, "{code:#x} {bits}");
    }
}

#[test]
fn jumps_compare_signed_and_unsigned_64_and_32_bits() {
    // (operation, a, b, taken by JMP, taken by JMP32)
    let minus_one = u64::MAX;
    for (op, a, b, wide_taken, narrow_taken) in [
        (0x10, 5, 5, true, true),
        (0x10, 1 << 32, 0, false, true),
        (0x20, minus_one, 1, true, true),
        (0x20, 1 << 32, 1, true, false),
        (0x30, 5, 5, true, true),
        (0x40, 6, 1, false, false),
        (0x40, 1 << 40, 1 << 40, true, false),
        (0x50, 1 << 32, 0, true, false),
        (0x60, minus_one, 1, false, false),
        (0x60, 0x8000_0000, 0, true, false),
        (0x70, 1, minus_one, true, true),
        (0xa0, 1, minus_one, true, true),
        (0xa0, 2, 1 << 32, true, false),
        (0xb0, 5, 5, true, true),
        (0xc0, minus_one, 1, true, true),
        (0xc0, 0x8000_0000, 0, false, true),
        (0xd0, 5, 5, true, true),
    ] {
        for (class, expected) in [(5, wide_taken), (6, narrow_taken)] {
            let program = [
                wide(0, 1),
                wide(2, a),
                wide(3, b),
                i(op | 8 | class, 2, 3, 1, 0),
                i(0xb7, 0, 0, 0, 0),
                i(0xbf, 0, 0, 0, 0),
            ];
            assert_eq!(result(&program, true) == 1, expected, "{op:#x} class {class}: {a:#x}, {b:#x}");
        }
    }
}

#[test]
fn a_jump_immediate_is_sign_extended() {
    for (code, a, expected) in [(0x15, u64::MAX, 1), (0x15, 0xffff_ffff, 0), (0x16, 0xffff_ffff, 1), (0xa5, 5, 1)] {
        let program = [wide(0, 1), wide(2, a), i(code, 2, 0, 1, -1), i(0xb7, 0, 0, 0, 0), i(0xbf, 0, 0, 0, 0)];
        assert_eq!(result(&program, true), expected, "{code:#x} {a:#x}");
    }
}

#[test]
fn both_unconditional_jumps_skip() {
    let skipped = i(0xb7, 0, 0, 0, 9);
    assert_eq!(result(&[wide(0, 1), i(0x05, 0, 0, 1, 0), skipped.clone(), i(0xbf, 0, 0, 0, 0)], true), 1);
    assert_eq!(result(&[wide(0, 1), i(0x06, 0, 0, 0, 1), skipped, i(0xbf, 0, 0, 0, 0)], true), 1);
}

#[test]
fn loads_and_stores_keep_the_low_bytes_and_extend_as_told() {
    // stx dw [r10-8], then load one part of it.
    let value = 0x8182_8384_8586_8788;
    for (code, off, little, big) in [
        (0x79, -8, value, value),
        (0x61, -8, 0x8586_8788, 0x8182_8384),
        (0x69, -8, 0x8788, 0x8182),
        (0x71, -8, 0x88, 0x81),
        (0x81, -8, 0xffff_ffff_8586_8788, 0xffff_ffff_8182_8384),
        (0x89, -8, 0xffff_ffff_ffff_8788, 0xffff_ffff_ffff_8182),
        (0x91, -8, 0xffff_ffff_ffff_ff88, 0xffff_ffff_ffff_ff81),
    ] {
        let program = [wide(2, value), i(0x7b, 10, 2, -8, 0), i(code, 0, 10, off, 0)];
        assert_eq!(result(&program, true), little, "{code:#x}");
        assert_eq!(result(&program, false), big, "{code:#x}");
    }
    // Narrow stores touch only their bytes: st dw 0, then one narrow store of -1.
    for (code, expected) in [(0x62, 0xffff_ffff), (0x6a, 0xffff), (0x72, 0xff), (0x7a, u64::MAX)] {
        let program = [i(0x7a, 10, 0, -8, 0), i(code, 10, 0, -8, -1), i(0x79, 0, 10, -8, 0)];
        assert_eq!(result(&program, true), expected, "{code:#x}");
    }
}

/// [r10-8] = memory; r2 = operand; r0 = compare; atomic; returns (memory, r2, r0).
fn atomic(code: u8, imm: i32, memory: u64, operand: u64, compare: u64) -> [u64; 3] {
    let setup = [wide(2, memory), i(0x7b, 10, 2, -8, 0), wide(2, operand), wide(0, compare), i(code, 10, 2, -8, imm)];
    [i(0x79, 0, 10, -8, 0), i(0xbf, 0, 2, 0, 0), i(0xbf, 0, 0, 0, 0)].map(|last| result(&[setup.concat(), last], true))
}

#[test]
fn atomic_operations_change_memory_and_fetch_the_old_value() {
    const HIGH: u64 = 0xaaaa_aaaa_0000_0000;
    for (code, imm, memory, operand, compare, expected) in [
        (0xdb, 0x00, 5, 7, 1, [12, 7, 1]),
        (0xdb, 0x01, 5, 7, 1, [12, 5, 1]),
        (0xdb, 0x41, 5, 2, 1, [7, 5, 1]),
        (0xdb, 0x51, 7, 5, 1, [5, 7, 1]),
        (0xdb, 0xa1, 7, 5, 1, [2, 7, 1]),
        (0xdb, 0xe1, 7, 5, 1, [5, 7, 1]),
        (0xdb, 0xf1, 7, 5, 7, [5, 5, 7]),
        (0xdb, 0xf1, 7, 5, 6, [7, 5, 7]),
        // 32 bits: the rest of memory stays, a fetched value is zero-extended.
        (0xc3, 0x00, HIGH | 0xffff_ffff, 1, 9, [HIGH, 1, 9]),
        (0xc3, 0x01, HIGH | 5, HIGH | 7, 9, [HIGH | 12, 5, 9]),
        (0xc3, 0xe1, HIGH | 5, HIGH | 7, 9, [HIGH | 7, 5, 9]),
        (0xc3, 0xf1, HIGH | 5, 7, HIGH | 5, [HIGH | 7, 7, 5]),
        (0xc3, 0xf1, HIGH | 5, 7, HIGH | 6, [HIGH | 5, 7, 5]),
    ] {
        assert_eq!(atomic(code, imm, memory, operand, compare), expected, "{code:#x} {imm:#x}");
    }
}

#[test]
fn acquire_and_release_load_and_store() {
    let program = [i(0x7a, 10, 0, -8, 42), i(0xdb, 0, 10, -8, 0x100)];
    assert_eq!(result(&program, true), 42);
    let program = [i(0x7a, 10, 0, -8, 0), wide(2, 7), i(0xd3, 10, 2, -8, 0x110), i(0x79, 0, 10, -8, 0)];
    assert_eq!(result(&program, true), 7);
}
