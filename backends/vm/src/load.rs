//! From an image to programs that can be run: decoding, relocations, and the checks that need no running.

use crate::instruction::{Instruction, WIDE, atomic, class, jump, mode};
use crate::space::{map_address, map_number, value_address};
use image::{Hook, Image, MapRef, Program};
use maps::{Map, NodeMaps, OwnTables};

/// Why a program cannot be run at all. Units: positions are indices of instruction words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("program {program}, instruction {at}: {what}")]
pub struct LoadError {
    /// The program's name.
    pub program: String,
    /// Where.
    pub at: usize,
    /// What is wrong.
    pub what: Refusal,
}

/// What is wrong with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such opcode, or unused fields that are not zero.
    #[error("unknown opcode {0:#04x}, or a field that should be zero")]
    Unknown(u8),
    /// A register above r10, or r10 as destination.
    #[error("no such register, or the frame pointer is written")]
    Register,
    /// A jump out of the program or into a wide load.
    #[error("the jump leads to no instruction")]
    Jump,
    /// A wide load without its second word.
    #[error("half a wide load")]
    Wide,
    /// A relocation that names no wide load, no map, or no value of one.
    #[error("the relocation fits no instruction or no map")]
    Relocation,
    /// The program ends with something other than exit or a jump.
    #[error("the program falls off its end")]
    End,
}

/// An image that is ready to run, with its own tables. Connections, records and counters live in [`NodeMaps`], apart.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) programs: Vec<Code>,
    pub(crate) tables: OwnTables,
    pub(crate) little_endian: bool,
    pub(crate) packet: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) hook: Hook,
    pub(crate) instructions: Vec<Instruction>,
}

impl Machine {
    /// Prepares an image. Errors: [`LoadError`] for the first instruction that cannot be run.
    pub fn load(image: &Image) -> Result<Machine, LoadError> {
        let tables = OwnTables::new(image);
        let code = |program: &Program| {
            let instructions = prepare(program, image, &tables).map_err(|(at, what)| LoadError {
                program: program.name.clone(),
                at,
                what,
            })?;
            Ok(Code { hook: program.hook, instructions })
        };
        let programs = image.programs.iter().map(code).collect::<Result<_, _>>()?;
        Ok(Machine { programs, tables, little_endian: image.target.little_endian, packet: Vec::new() })
    }

    /// The image's own tables: classes to fill, counters to read.
    pub fn tables(&self) -> &OwnTables {
        &self.tables
    }

    /// The image's own tables, to be filled.
    pub fn tables_mut(&mut self) -> &mut OwnTables {
        &mut self.tables
    }

    /// The hooks that have a program, and its instructions: relocated, and with both halves of a wide load in the first.
    pub fn instructions(&self) -> impl Iterator<Item = (Hook, &[Instruction])> {
        self.programs.iter().map(|code| (code.hook, code.instructions.as_slice()))
    }

    /// Whether the image is for processors that keep the low byte first.
    pub fn little_endian(&self) -> bool {
        self.little_endian
    }

    /// Stores the class of a peer for a hook's program. Errors: as [`OwnTables::set_class`].
    pub fn set_class(&mut self, hook: Hook, peer: u32, class: u16) -> bool {
        let program = self.programs.iter().position(|code| code.hook == hook);
        program.is_some_and(|program| self.tables.set_class(program as u8, peer, class))
    }

    /// The packet as the last run left it.
    pub fn packet(&self) -> &[u8] {
        &self.packet
    }
}

type Prepared<T> = Result<T, (usize, Refusal)>;

fn prepare(program: &Program, image: &Image, tables: &OwnTables) -> Prepared<Vec<Instruction>> {
    let decode = |&word: &u64| Instruction::decode(word, image.target.little_endian);
    let mut code: Vec<Instruction> = program.insns.iter().map(decode).collect();
    let mut at = 0;
    while at < code.len() {
        at += if code[at].code == WIDE { join(&mut code, at, program, image, tables)? } else { 1 };
    }
    if let Some(reloc) = program.relocs.iter().find(|r| code.get(r.at as usize).is_none_or(|insn| insn.code != WIDE)) {
        return Err((reloc.at as usize, Refusal::Relocation));
    }
    let mut second_half = false;
    for (at, insn) in code.iter().enumerate() {
        if !second_half {
            check(&code, at, insn).map_err(|what| (at, what))?;
        }
        second_half = insn.code == WIDE && !second_half;
    }
    match code.last() {
        Some(last) if !second_half && ends(last) => Ok(code),
        _ => Err((code.len().saturating_sub(1), Refusal::End)),
    }
}

fn ends(last: &Instruction) -> bool {
    last.code == class::JMP | jump::EXIT || jump_target(0, last).is_some() && last.code & 0xf0 == jump::JA
}

/// Puts both halves of a wide load into the first, and its relocation. Returns how many words it takes.
fn join(code: &mut [Instruction], at: usize, program: &Program, image: &Image, tables: &OwnTables) -> Prepared<usize> {
    let second = *code.get(at + 1).ok_or((at, Refusal::Wide))?;
    if (second.code, second.dst, second.src, second.off) != (0, 0, 0, 0) {
        return Err((at + 1, Refusal::Wide));
    }
    let first = &mut code[at];
    match program.relocs.iter().find(|reloc| reloc.at as usize == at) {
        Some(reloc) => {
            first.imm = relocated(reloc, image, tables).ok_or((at, Refusal::Relocation))? as i64;
            first.src = 0;
        }
        None if first.src != 0 => return Err((at, Refusal::Relocation)),
        None => first.imm = first.imm & 0xffff_ffff | second.imm << 32,
    }
    Ok(2)
}

fn relocated(reloc: &image::Reloc, image: &Image, tables: &OwnTables) -> Option<u64> {
    let Some(offset) = reloc.value_offset else {
        let exists = match reloc.map {
            MapRef::Own(index) => tables.get(usize::from(index)).is_some(),
            MapRef::Node(_) => true,
        };
        return exists.then(|| map_address(reloc.map));
    };
    let spec = match reloc.map {
        MapRef::Own(index) => *tables.get(usize::from(index)).filter(|map| Map::has_direct_value(map))?.spec(),
        MapRef::Node(map) => map.spec(&image.target),
    };
    let direct = spec.kind == image::MapKind::Array && spec.max_entries == 1 && offset < spec.value_size;
    direct.then(|| value_address(map_number(reloc.map), offset as usize))
}

/// Where a jump leads, as an index; `None` for other instructions, a negative index for a target before the program.
pub fn jump_target(at: usize, insn: &Instruction) -> Option<i64> {
    let operation = insn.code & 0xf0;
    let distance = match insn.class() {
        class::JMP32 if operation == jump::JA => insn.imm,
        class::JMP | class::JMP32 if operation != jump::CALL && operation != jump::EXIT => i64::from(insn.off),
        _ => return None,
    };
    Some(at as i64 + 1 + distance)
}

fn check(code: &[Instruction], at: usize, insn: &Instruction) -> Result<(), Refusal> {
    if !insn.is_known() {
        return Err(Refusal::Unknown(insn.code));
    }
    if insn.dst > 10 || insn.src > 10 || insn.dst == 10 && writes_destination(insn) || clobbers_frame(insn) {
        return Err(Refusal::Register);
    }
    let Some(target) = jump_target(at, insn) else { return Ok(()) };
    // The second word of a wide load has opcode 0 and is no place to land.
    let lands = usize::try_from(target).ok().and_then(|target| code.get(target)).is_some_and(|insn| insn.code != 0);
    if lands { Ok(()) } else { Err(Refusal::Jump) }
}

fn writes_destination(insn: &Instruction) -> bool {
    match insn.class() {
        class::ALU | class::ALU64 | class::LD | class::LDX => true,
        class::STX => insn.code & 0xe0 == mode::ATOMIC && insn.imm == atomic::LOAD_ACQUIRE,
        _ => false,
    }
}

/// A fetching atomic operation writes its source register.
fn clobbers_frame(insn: &Instruction) -> bool {
    let atomic = insn.class() == class::STX && insn.code & 0xe0 == mode::ATOMIC;
    atomic && insn.src == 10 && insn.imm & atomic::FETCH != 0 && insn.imm != atomic::CMPXCHG
}

/// Runs need the maps of the node that the image was built for.
pub(crate) fn same_target(machine: &Machine, maps: &NodeMaps) -> bool {
    machine.little_endian == maps.target().little_endian
}
