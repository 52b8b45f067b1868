//! Shared by the tests: a small assembler and a way to run its output.

use image::{DirectionPlan, Fill, Hook, Image, MapRef, Notes, Plan, Program, Reloc, Table, Target};
use maps::NodeMaps;
use vm::instruction::Instruction;
use vm::{Context, Fault, LoadError, Machine, Outcome};

/// One instruction.
pub fn i(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Vec<Instruction> {
    vec![Instruction { code, dst, src, off, imm: i64::from(imm) }]
}

/// `ld_imm64`.
pub fn wide(dst: u8, value: u64) -> Vec<Instruction> {
    vec![
        Instruction { code: 0x18, dst, src: 0, off: 0, imm: i64::from(value as u32 as i32) },
        Instruction { code: 0, dst: 0, src: 0, off: 0, imm: i64::from((value >> 32) as u32 as i32) },
    ]
}

/// `exit`.
pub fn exit() -> Vec<Instruction> {
    i(0x95, 0, 0, 0, 0)
}

/// A node whose maps are small.
pub fn target(little_endian: bool) -> Target {
    Target {
        little_endian,
        endpoints_log2: 2,
        address4_pages_log2: 1,
        peers_log2: 4,
        track4_sets_log2: 1,
        track6_sets_log2: 1,
        address6_log2: 1,
        fragments_log2: 1,
        records_log2: 12,
        exchange: image::Exchange::Instruction,
        wide_values: true,
    }
}

/// An image with one program, a fixed table of the bytes 1..=16, and classes.
pub fn image(code: &[Vec<Instruction>], relocs: &[(u32, MapRef, Option<u32>)], little_endian: bool) -> Image {
    let insns = code.concat().iter().map(|insn| insn.encode(little_endian)).collect();
    let relocs = relocs.iter().map(|&(at, map, value_offset)| Reloc { at, map, value_offset }).collect();
    Image {
        target: target(little_endian),
        programs: vec![Program { name: "t".into(), hook: Hook::ToEndpoint, insns, relocs }],
        tables: vec![
            Table { name: "fixed".into(), fill: Fill::Fixed((1..=16).collect()) },
            Table { name: "classes".into(), fill: Fill::Classes(0) },
        ],
        plan: Plan { ingress: DirectionPlan::Constant(1), egress: DirectionPlan::Constant(1) },
        notes: Notes::default(),
    }
}

/// Loads a program without maps.
#[allow(dead_code, reason = "each test file is a crate and uses a part of this module")]
pub fn load(code: &[Vec<Instruction>]) -> Result<Machine, LoadError> {
    Machine::load(&image(code, &[], true))
}

/// Runs a program on a packet.
#[allow(dead_code, reason = "each test file is a crate and uses a part of this module")]
pub fn run(image: &Image, maps: &mut NodeMaps, packet: &[u8], context: &Context) -> Result<Outcome, Fault> {
    Machine::load(image).expect("the test's program loads").run(maps, Hook::ToEndpoint, packet, context)
}

/// The 64 bits that a program leaves in r0, stored through the seed field's neighbours of `tg_config`.
#[allow(dead_code, reason = "each test file is a crate and uses a part of this module")]
pub fn result(code: &[Vec<Instruction>], little_endian: bool) -> u64 {
    let node = MapRef::Node(image::NodeMap::Config);
    let body = code.concat();
    // The program jumps to its last instruction; r0 is then stored where the test can read all of it.
    let at = body.len() as u32;
    let store = [wide(1, 0), i(0x7b, 1, 0, 0, 0), exit()].concat();
    let image = image(&[body, store], &[(at, node, Some(32))], little_endian);
    let mut maps = NodeMaps::new(&image.target);
    run(&image, &mut maps, &[], &Context::default()).expect("the test's program runs");
    let bytes = maps.get(image::NodeMap::Config).memory().value(0)[32..40].to_vec();
    image::codec::get_u64(&image.target, &bytes, 0)
}
