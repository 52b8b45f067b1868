//! Images of a few words, and the question whether bpf(2) may be called at all.
#![allow(dead_code)]

pub mod net;

use image::{DirectionPlan, Hook, Image, Notes, Plan, Program, Target};
use loader::{Error, Node, Pins};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

/// `TCX_NEXT`, which clsact calls `TC_ACT_UNSPEC`: the next program decides.
pub const ALLOW: i32 = -1;
/// `TC_ACT_SHOT`.
pub const DENY: i32 = 2;

/// A small target, so that a test's maps are made in no time.
pub fn target() -> Target {
    Target {
        endpoints_log2: 4,
        address4_pages_log2: 4,
        peers_log2: 8,
        track4_sets_log2: 2,
        track6_sets_log2: 2,
        address6_log2: 6,
        fragments_log2: 4,
        records_log2: 12,
        ..loader::features().map_or(Target::default(), |it| it.target())
    }
}

/// One instruction: opcode, destination and source register, offset, immediate.
pub fn insn(opcode: u8, destination: u8, source: u8, offset: i16, immediate: i32) -> u64 {
    let registers = if cfg!(target_endian = "little") { destination | source << 4 } else { destination << 4 | source };
    let [o0, o1] = offset.to_ne_bytes();
    let [i0, i1, i2, i3] = immediate.to_ne_bytes();
    u64::from_ne_bytes([opcode, registers, o0, o1, i0, i1, i2, i3])
}

/// `r0 = answer; exit`.
pub fn answer(answer: i32) -> Vec<u64> {
    vec![insn(0xb7, 0, 0, 0, answer), insn(0x95, 0, 0, 0, 0)]
}

/// A program that drops all.
pub fn drop_all() -> Vec<u64> {
    answer(DENY)
}

/// A program that lets all pass.
pub fn pass_all() -> Vec<u64> {
    answer(ALLOW)
}

/// An image of two programs without maps.
pub fn image(subject: &str, to: Vec<u64>, from: Vec<u64>) -> Image {
    let program = |name: &str, hook, insns| Program { name: name.into(), hook, insns, relocs: vec![] };
    Image {
        target: target(),
        programs: vec![program("tg_to", Hook::ToEndpoint, to), program("tg_from", Hook::FromEndpoint, from)],
        tables: vec![],
        plan: Plan { ingress: DirectionPlan::Constant(1), egress: DirectionPlan::Constant(1) },
        notes: Notes { subject: subject.into(), rules: vec![] },
    }
}

/// A node without pins; `None`, and a line that says so, where bpf(2) is not permitted.
pub fn node(name: &str) -> Option<Node> {
    permitted(Node::open(name, &target(), Pins::None))
}

/// Says that a test cannot run here, and how many could not so far. Written past the harness, which hides what passing tests print.
pub fn absent(why: &str) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    writeln!(std::io::stderr(), "absent ({count}): {why}").expect("standard error is open");
}

/// The node, unless bpf(2) is not permitted here: then the test is absent.
pub fn permitted(opened: loader::Result<Node>) -> Option<Node> {
    match opened {
        Err(Error::Kernel { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
            absent("bpf(2) is not permitted");
            None
        }
        opened => Some(opened.expect("bpf(2) is permitted, so a node can be made")),
    }
}

/// The same program after some work that changes nothing.
pub fn longer(program: Vec<u64>) -> Vec<u64> {
    let work = std::iter::repeat_n(insn(0xb7, 1, 0, 0, 7), 64);
    work.chain(program).collect()
}

/// An image whose programs add one to counter 0 of table 0 and let the packet pass; `mark` makes images differ.
pub fn count_and(mark: i32) -> Image {
    let body = vec![
        insn(0xb7, 3, 0, 0, mark),
        insn(0x18, 1, 0, 0, 0),
        0,
        insn(0xb7, 2, 0, 0, 1),
        insn(0xdb, 1, 2, 0, 0),
        insn(0xb7, 0, 0, 0, ALLOW),
        insn(0x95, 0, 0, 0, 0),
    ];
    let mut image = image("counted", body.clone(), body);
    image.tables = vec![image::Table { name: "tg_count".into(), fill: image::Fill::Counters(1) }];
    for program in &mut image.programs {
        program.relocs = vec![image::Reloc { at: 1, map: image::MapRef::Own(0), value_offset: Some(0) }];
    }
    image
}
