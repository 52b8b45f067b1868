//! What surrounds the decisions of a program: parsing, tracking, exits. It is the same for every policy, so a program is taken apart into
//! its decisions, which are lifted, and the rest, which is one of few templates.
//!
//! A template is named by the digest of the rest. The known ones stand in `templates.txt`; each was proved on every path before it was
//! listed ([`crate::whole`]), and judged packet by packet (`tests/templates.rs` says how). A program whose rest has another digest is refused, whatever it does.

use crate::insn::{CALL, EXIT, Insn, JUMP, WIDE};
use crate::lift::{Region, Subject, place};
use flow::Family;
use image::{Digest, DirectionPlan, Image, MapRef, NodeMap, Program, layout};

/// The digests of the templates that are known.
const KNOWN: &str = include_str!("templates.txt");

/// The known templates, by the text of their digests.
pub fn known() -> impl Iterator<Item = &'static str> {
    KNOWN.lines().filter_map(|line| line.split_whitespace().next())
}

/// Whether a digest is that of a known template.
pub fn is_known(digest: Digest) -> bool {
    let text = digest.to_string();
    known().any(|it| it == text)
}

/// The decisions of a program that decides by cells: one an IP version.
///
/// Each begins where the peer's number is stored, and ends where the leaf was compared with each of its values that is no denial. That they
/// lead where they should is what the digest of the rest says: it has their ways out in it. Errors: `None` for none.
pub fn regions(subject: Subject<'_>) -> Option<Vec<Region>> {
    let insns = subject.program.insns.iter().map(|word| Insn::read(*word, subject.image.target.little_endian));
    let insns: Vec<Insn> = insns.collect();
    let stores_peer = |it: &Insn| it.opcode == 0x63 && it.dst == 10 && it.src == 2 && it.offset == place::PEER;
    let starts: Vec<usize> = (0..insns.len()).filter(|at| stores_peer(&insns[*at])).collect();
    let ends = starts.iter().skip(1).copied().chain([insns.len()]);
    let found: Vec<Region> =
        starts.iter().zip(ends).map(|(start, end)| region(&insns, *start, end)).collect::<Option<_>>()?;
    (!found.is_empty()).then_some(found)
}

/// The decision that begins at an instruction and ends before another.
fn region(insns: &[Insn], start: usize, before: usize) -> Option<Region> {
    let to = |at: usize, leaf: u8| {
        let it = insns.get(at)?;
        let compares = it.opcode == 0x15 && it.dst == 3 && it.imm == i32::from(leaf);
        if compares { Some(at + 1 + usize::try_from(it.offset).ok()?) } else { None }
    };
    (start..before).find_map(|at| {
        let [allow, no_proxy, auth_required] =
            [to(at, layout::LEAF_ALLOW)?, to(at + 1, layout::LEAF_REDIRECT)?, to(at + 2, layout::LEAF_AUTH)?];
        // Where a table leads that does not fit: that no leaf was found is noted there.
        let notes = |it: &Insn| it.opcode == 0x62 && it.dst == 10 && it.offset == place::LEAF && it.imm == -1;
        let broken = (at + 3..allow).find(|at| insns.get(*at).is_some_and(notes));
        Some(Region { start, end: at + 3, allow, no_proxy, auth_required, broken })
    })
}

/// The IP version whose flows a decision is about: that of the connections looked up last before it. `None` where none are.
pub fn family(program: &Program, region: Region) -> Option<Family> {
    let before = program.relocs.iter().rev().filter(|reloc| (reloc.at as usize) < region.start);
    before.map(|reloc| reloc.map).find_map(|map| match map {
        MapRef::Node(NodeMap::Track4) => Some(Family::V4),
        MapRef::Node(NodeMap::Track6) => Some(Family::V6),
        _ => None,
    })
}

/// The digest of a program without its decisions.
///
/// Shape: every instruction outside a decision with its operands, its map and the instruction that it jumps to; a decision is one
/// mark with its ways out. Instructions are counted as if a decision were one, so that its length leaves no trace. Errors: `None` for
/// a jump into a decision, or a table of the policy outside of one.
pub fn digest(image: &Image, program: &Program, regions: &[Region]) -> Option<Digest> {
    let place = |at: usize| -> Option<u32> {
        let mut shift = 0;
        for region in regions {
            if at > region.start && at < region.end {
                return None;
            }
            if at >= region.end {
                shift += region.end - region.start - 1;
            }
        }
        u32::try_from(at - shift).ok()
    };
    let mut bytes = form(image, program);
    let mut at = 0;
    while let Some(word) = program.insns.get(at) {
        if let Some(region) = regions.iter().find(|region| region.start == at) {
            bytes.push(b'D');
            for exit in [region.end, region.allow, region.no_proxy, region.auth_required] {
                bytes.extend(place(exit)?.to_be_bytes());
            }
            at = region.end;
            continue;
        }
        let insn = Insn::read(*word, image.target.little_endian);
        bytes.extend([b'I', insn.opcode, insn.dst, insn.src]);
        if insn.jumps() || insn.opcode == JUMP {
            let to = (at as i64 + 1).checked_add(i64::from(insn.offset))?;
            bytes.extend(place(usize::try_from(to).ok()?)?.to_be_bytes());
        } else {
            bytes.extend(insn.offset.to_be_bytes());
        }
        bytes.extend(insn.imm.to_be_bytes());
        if insn.opcode == WIDE {
            reloc(image, program, at, &mut bytes)?;
            let high = Insn::read(*program.insns.get(at + 1)?, image.target.little_endian);
            bytes.extend([high.opcode, high.dst, high.src]);
            bytes.extend(high.offset.to_be_bytes());
            bytes.extend(high.imm.to_be_bytes());
            at += 1;
        }
        at += 1;
    }
    Some(Digest::of(&bytes))
}

/// What a template is for: hook, form of the decision, sizes of the target.
fn form(image: &Image, program: &Program) -> Vec<u8> {
    let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
    let form = match plan {
        DirectionPlan::Constant(leaf) => format!("constant {leaf}"),
        DirectionPlan::Cells(plan) => format!("cells, counters {}", plan.counter_table.is_some()),
    };
    format!("{:?} {form} {:?}\n", program.hook, image.target).into_bytes()
}

/// The map of a wide load, or that it is a number. Errors: `None` for a table of the policy.
fn reloc(image: &Image, program: &Program, at: usize, bytes: &mut Vec<u8>) -> Option<()> {
    let Some(reloc) = program.relocs.iter().find(|reloc| reloc.at as usize == at) else {
        bytes.push(b'N');
        return Some(());
    };
    let map = match reloc.map {
        MapRef::Node(map) => map.name().to_owned(),
        MapRef::Own(index) => match &image.tables.get(usize::from(index))?.fill {
            image::Fill::Digest => "digest".to_owned(),
            _ => return None,
        },
    };
    bytes.extend(format!("M {map} {:?}\n", reloc.value_offset).into_bytes());
    Some(())
}

/// The registers below R6 that instructions from `from` on may read before they write them, as bits; the decision leaves anything there.
///
/// Jumps lead forward only, so one pass from the end finds all. Errors: `None` for a jump backwards.
pub fn live(image: &Image, program: &Program, from: usize) -> Option<u16> {
    let mut live = vec![0u16; program.insns.len() + 1];
    let mut at = program.insns.len();
    while at > 0 {
        at -= 1;
        let insn = Insn::read(program.insns[at], image.target.little_endian);
        // The second word of a wide load is opcode 0: nothing reads or writes there, and control passes through.
        let (reads, writes) = registers(insn);
        let mut after = if matches!(insn.opcode, EXIT | JUMP) { 0 } else { live[at + 1] };
        if insn.jumps() || insn.opcode == JUMP {
            after |= *live.get(at + 1 + usize::try_from(insn.offset).ok()?)?;
        }
        live[at] = after & !writes | reads;
    }
    live.get(from).map(|live| live & 0x3f)
}

/// The registers that an instruction reads and those that it writes, as bits.
pub fn registers(insn: Insn) -> (u16, u16) {
    let (dst, src) = (1u16 << insn.dst, 1u16 << insn.src);
    let by_register = if insn.by_register() { src } else { 0 };
    match (insn.class(), insn.opcode) {
        (_, 0) => (0, 0),
        (_, WIDE) => (0, dst),
        (_, CALL) => (arguments(insn.imm), 0x3f),
        (_, EXIT) => (1, 0),
        (_, JUMP) => (0, 0),
        (5 | 6, _) => (dst | by_register, 0),
        // A move only writes; a swap of bytes has its width as immediate.
        (4 | 7, opcode) if opcode & 0xf0 == 0xb0 => (by_register, dst),
        (4 | 7, opcode) if opcode & 0xf0 == 0xd0 => (dst, dst),
        (4 | 7, _) => (dst | by_register, dst),
        (0 | 1, _) => (src, dst),
        (2, _) => (dst, 0),
        // An exchange gives its result back in the source register or in R0.
        (_, opcode) if opcode & 0xe0 == 0xc0 => (dst | src | if insn.imm & 0xf1 == 0xf1 { 1 } else { 0 }, 0),
        _ => (dst | src, 0),
    }
}

/// The registers that a kernel function reads, as bits; all that it may for one that templates do not call.
///
/// Source: the prototypes in bpf-helpers(7).
fn arguments(helper: i32) -> u16 {
    match helper {
        // ktime_get_ns, jiffies64
        5 | 118 => 0,
        // spin_lock, spin_unlock
        93 | 94 => 0x02,
        // map_lookup_elem, skb_pull_data
        1 | 39 => 0x06,
        // map_update_elem, ringbuf_output
        2 | 130 => 0x1e,
        _ => 0x3e,
    }
}
