//! Programs as text, one instruction a line, in the manner of the kernel's own log.

use super::insn::{CALL, EXIT, Insn, JUMP, WIDE};
use image::{MapRef, Program};
use std::fmt::Write;

/// The text of a program. Shape: `index: instruction`, jump targets as `-> index`.
pub fn text(program: &Program, little_endian: bool) -> String {
    let mut out = String::new();
    let insns: Vec<Insn> = program.insns.iter().map(|word| Insn::from_word(*word, little_endian)).collect();
    let mut at = 0;
    while let Some(insn) = insns.get(at) {
        let reference = program.relocs.iter().find(|reloc| reloc.at as usize == at);
        let line = match reference {
            Some(reloc) => {
                let name = match reloc.map {
                    MapRef::Own(index) => format!("table {index}"),
                    MapRef::Node(map) => map.name().to_string(),
                };
                match reloc.value_offset {
                    Some(offset) => format!("r{} = &{name}[{offset}]", insn.dst),
                    None => format!("r{} = map {name}", insn.dst),
                }
            }
            None if insn.opcode == WIDE => {
                let high = insns.get(at + 1).map_or(0, |next| next.imm);
                format!("r{} = {:#x}", insn.dst, u64::from(high as u32) << 32 | u64::from(insn.imm as u32))
            }
            None => one(*insn, at),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(out, "{at:5}: {line}");
        at += if insn.opcode == WIDE { 2 } else { 1 };
    }
    out
}

fn one(insn: Insn, at: usize) -> String {
    let right = if insn.opcode & 8 != 0 { format!("r{}", insn.src) } else { insn.imm.to_string() };
    let target = at as i64 + 1 + i64::from(insn.offset);
    let width = match insn.opcode & 0x18 {
        0x00 => "u32",
        0x08 => "u16",
        0x10 => "u8",
        _ => "u64",
    };
    match insn.opcode {
        EXIT => "exit".into(),
        CALL => format!("call {}", insn.imm),
        JUMP => format!("goto -> {target}"),
        0xdc => format!("r{} = be{}(r{})", insn.dst, insn.imm, insn.dst),
        0xdb => {
            let name = match insn.imm {
                0x00 => "add",
                0xe1 => "exchange",
                _ => "compare-exchange",
            };
            format!("{name} *(u64 *)(r{} {:+}), r{}", insn.dst, insn.offset, insn.src)
        }
        opcode => match opcode & 7 {
            1 => format!("r{} = *({width} *)(r{} {:+})", insn.dst, insn.src, insn.offset),
            2 => format!("*({width} *)(r{} {:+}) = {}", insn.dst, insn.offset, insn.imm),
            3 => format!("*({width} *)(r{} {:+}) = r{}", insn.dst, insn.offset, insn.src),
            5 | 6 => {
                let letter = if opcode & 7 == 5 { 'r' } else { 'w' };
                format!("if {letter}{} {} {right} goto -> {target}", insn.dst, comparison(opcode))
            }
            class => {
                let letter = if class == 7 { 'r' } else { 'w' };
                let right = if insn.opcode & 8 != 0 { format!("{letter}{}", insn.src) } else { right };
                format!("{letter}{} {} {right}", insn.dst, operation(opcode))
            }
        },
    }
}

fn comparison(opcode: u8) -> &'static str {
    match opcode & 0xf0 {
        0x10 => "==",
        0x20 => ">",
        0x30 => ">=",
        0x40 => "&",
        0x50 => "!=",
        0x60 => "s>",
        0xa0 => "<",
        0xb0 => "<=",
        _ => "?",
    }
}

fn operation(opcode: u8) -> &'static str {
    match opcode & 0xf0 {
        0x00 => "+=",
        0x10 => "-=",
        0x20 => "*=",
        0x40 => "|=",
        0x50 => "&=",
        0x60 => "<<=",
        0x70 => ">>=",
        0xa0 => "^=",
        0xb0 => "=",
        0xc0 => "s>>=",
        _ => "?=",
    }
}
