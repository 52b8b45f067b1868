//! Which objects and paths the instructions of a program serve.
//!
//! What rules say is in the tables that a decision reads, or in comparisons that serve several of them. So a decision serves all rules of
//! its direction, and its instructions name their objects, one each, with the paths in them.

use image::{DirectionPlan, Image, Program, layout};
use rules::{Origin, RuleSet};
use std::collections::BTreeMap;

/// How many paths of one object are named.
const PATHS: usize = 8;
/// `BPF_LD | BPF_IMM | BPF_DW`, the first of two words.
pub(crate) const WIDE: u8 = 0x18;
/// `BPF_STX | BPF_MEM | BPF_W`.
const STORE_WORD: u8 = 0x63;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
const JUMP_EQUAL: u8 = 0x15;
/// Who speaks where no object does.
const OURS: &str = "tidegate";

/// What instructions from one on are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The first of them.
    pub at: u32,
    /// An object.
    pub object: String,
    /// Paths in it.
    pub path: String,
}

/// The marks of a program, ascending; the first is at its first instruction.
pub(crate) fn marks(image: &Image, program: &Program, rules: Option<&RuleSet>) -> Vec<Mark> {
    let objects = rules.map(objects).unwrap_or_default();
    let mut marks = Vec::new();
    let mut say = |at: u32, object: &str, path: &str| marks.push(Mark { at, object: object.into(), path: path.into() });
    let decisions = decisions(image, program);
    say(0, OURS, "what is it, and of which connection?");
    for (from, to) in &decisions {
        let places: Vec<u32> = (*from..*to).filter(|at| !is_second(image, program, *at)).collect();
        for (place, (object, paths)) in places.iter().zip(shortened(&objects, places.len())) {
            say(*place, &object, &paths);
        }
        say(*to, OURS, "what becomes of it");
    }
    if decisions.is_empty() {
        // Every flow has one verdict, so the whole program serves the rules.
        let places = (1..program.insns.len() as u32).filter(|at| !is_second(image, program, *at));
        let places: Vec<u32> = places.take(objects.len()).collect();
        for (place, (object, paths)) in places.iter().zip(shortened(&objects, places.len())) {
            say(*place, &object, &paths);
        }
    }
    marks
}

/// The instructions of each decision: from the one that stores the peer's number to those that compare the leaf with what it may be.
fn decisions(image: &Image, program: &Program) -> Vec<(u32, u32)> {
    let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
    if matches!(plan, DirectionPlan::Constant(_)) {
        return Vec::new();
    }
    let little = image.target.little_endian;
    let registers = |dst: u8, src: u8| if little { src << 4 | dst } else { dst << 4 | src };
    let (mut found, mut start) = (Vec::new(), None);
    for (at, word) in (0..).zip(&program.insns) {
        let [opcode, both, .., a, b, c, d] = bytes(image, *word);
        let imm = if little { i32::from_le_bytes([a, b, c, d]) } else { i32::from_be_bytes([a, b, c, d]) };
        // `*(u32 *)(r10 + peer) = r2`, then `if r3 == 1 goto`, as `backends/verify` finds them, too.
        if (opcode, both) == (STORE_WORD, registers(10, 2)) {
            start = Some(at);
        } else if (opcode, both, imm) == (JUMP_EQUAL, registers(3, 0), i32::from(layout::LEAF_ALLOW)) {
            found.extend(start.take().map(|from| (from, at)));
        }
    }
    found
}

/// Whether an instruction is the second word of a wide load, which nothing may begin at.
fn is_second(image: &Image, program: &Program, at: u32) -> bool {
    let before = at.checked_sub(1).and_then(|at| program.insns.get(at as usize));
    before.is_some_and(|word| bytes(image, *word)[0] == WIDE)
}

/// An instruction as it stands in memory.
pub(crate) fn bytes(image: &Image, word: u64) -> [u8; 8] {
    if image.target.little_endian { word.to_le_bytes() } else { word.to_be_bytes() }
}

/// The objects behind rules, each with the paths in it.
fn objects(rules: &RuleSet) -> Vec<(String, String)> {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Origin { object, path } in &rules.origins {
        paths.entry(object).or_default().push(path);
    }
    let listed = |paths: Vec<&str>| match paths.len() {
        count if count > PATHS => format!("{} and {} more", paths[..PATHS].join(", "), count - PATHS),
        _ => paths.join(", "),
    };
    paths.into_iter().map(|(object, paths)| (object.to_owned(), listed(paths))).collect()
}

/// The objects for which there is room, the last place saying how many there is none for.
fn shortened(objects: &[(String, String)], room: usize) -> Vec<(String, String)> {
    if objects.len() <= room {
        return objects.to_vec();
    }
    let shown = room.saturating_sub(1);
    let more = (OURS.to_owned(), format!("{} more objects", objects.len() - shown));
    objects[..shown].iter().cloned().chain([more]).take(room).collect()
}
