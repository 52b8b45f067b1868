//! Arithmetic and comparisons as pure functions.

use crate::instruction::{jump, op};

/// The result of a 64-bit operation. `off` is 1 for the signed forms of division, and the width of a sign-extending move.
#[inline]
pub fn alu64(operation: u8, a: u64, b: u64, off: i16) -> u64 {
    match operation {
        op::ADD => a.wrapping_add(b),
        op::SUB => a.wrapping_sub(b),
        op::MUL => a.wrapping_mul(b),
        op::DIV if off == 1 => (a as i64).checked_div(b as i64).map_or(if b == 0 { 0 } else { a }, |q| q as u64),
        op::DIV => a.checked_div(b).unwrap_or(0),
        op::OR => a | b,
        op::AND => a & b,
        op::LSH => a.wrapping_shl(b as u32),
        op::RSH => a.wrapping_shr(b as u32),
        op::NEG => a.wrapping_neg(),
        op::MOD if off == 1 => (a as i64).checked_rem(b as i64).map_or(if b == 0 { a } else { 0 }, |r| r as u64),
        op::MOD => a.checked_rem(b).unwrap_or(a),
        op::XOR => a ^ b,
        op::ARSH => (a as i64).wrapping_shr(b as u32) as u64,
        _ => match off {
            8 => b as i8 as u64,
            16 => b as i16 as u64,
            32 => b as i32 as u64,
            _ => b,
        },
    }
}

/// The result of a 32-bit operation; the caller clears the high half of the register.
#[inline]
pub fn alu32(operation: u8, a: u32, b: u32, off: i16) -> u32 {
    match operation {
        op::ADD => a.wrapping_add(b),
        op::SUB => a.wrapping_sub(b),
        op::MUL => a.wrapping_mul(b),
        op::DIV if off == 1 => (a as i32).checked_div(b as i32).map_or(if b == 0 { 0 } else { a }, |q| q as u32),
        op::DIV => a.checked_div(b).unwrap_or(0),
        op::OR => a | b,
        op::AND => a & b,
        op::LSH => a.wrapping_shl(b),
        op::RSH => a.wrapping_shr(b),
        op::NEG => a.wrapping_neg(),
        op::MOD if off == 1 => (a as i32).checked_rem(b as i32).map_or(if b == 0 { a } else { 0 }, |r| r as u32),
        op::MOD => a.checked_rem(b).unwrap_or(a),
        op::XOR => a ^ b,
        op::ARSH => (a as i32).wrapping_shr(b) as u32,
        _ => match off {
            8 => b as i8 as u32,
            16 => b as i16 as u32,
            _ => b,
        },
    }
}

/// Reverses the bytes of the low `bits` (16, 32 or 64) when `reverse`, and clears the others in any case.
#[inline]
pub fn byte_swap(value: u64, bits: i64, reverse: bool) -> u64 {
    match (bits, reverse) {
        (16, false) => u64::from(value as u16),
        (16, true) => u64::from((value as u16).swap_bytes()),
        (32, false) => u64::from(value as u32),
        (32, true) => u64::from((value as u32).swap_bytes()),
        (_, false) => value,
        (_, true) => value.swap_bytes(),
    }
}

/// Whether a jump is taken. For 32-bit jumps the caller passes both operands sign-extended from 32 bits, which keeps every order.
#[inline]
pub fn taken(operation: u8, a: u64, b: u64) -> bool {
    match operation {
        jump::JEQ => a == b,
        jump::JGT => a > b,
        jump::JGE => a >= b,
        jump::JSET => a & b != 0,
        jump::JNE => a != b,
        jump::JSGT => a as i64 > b as i64,
        jump::JSGE => a as i64 >= b as i64,
        jump::JLT => a < b,
        jump::JLE => a <= b,
        jump::JSLT => (a as i64) < b as i64,
        jump::JSLE => a as i64 <= b as i64,
        _ => false,
    }
}
