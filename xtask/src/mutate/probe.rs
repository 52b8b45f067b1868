//! Runs the decisions of an image by themselves, in the machine in user space, and compares with the rules of another.

use diagram::ClassId;
use flow::L4Key;
use image::{DirectionPlan, Image, Program, Reloc, layout};
use maps::NodeMaps;
use std::collections::BTreeSet;
use verify::lift::{Region, Subject};
use vm::{Context, Machine};

/// Peers that classes are given to.
const FIRST_PEER: u32 = 32;

/// A flow that the decisions of `other` answer otherwise than the rules of `base` say, in words; or that they cannot be asked.
///
/// Asked of every class of peers and of the keys at, before and behind every boundary of the rules, in both decisions of both programs.
pub fn differs(base: &Image, other: &Image) -> Option<String> {
    let diagrams = match verify::diagrams_of(base) {
        Ok(diagrams) => diagrams,
        Err(refusals) => return Some(format!("{refusals:?}")),
    };
    for (at, diagram) in diagrams.iter().enumerate() {
        let plan = [&other.plan.ingress, &other.plan.egress][at];
        let program = other.programs.iter().find(|it| it.hook.is_egress() == (at == 1))?;
        let keys: BTreeSet<u32> = diagram
            .maps()
            .iter()
            .flat_map(|map| {
                map.intervals().iter().flat_map(|(key, _)| [key.raw().saturating_sub(1), key.raw(), key.raw() + 1])
            })
            .filter(|key| *key <= L4Key::MAX.raw())
            .collect();
        let DirectionPlan::Cells(_) = plan else {
            let constant = matches!(plan, DirectionPlan::Constant(leaf) if diagram.maps().iter().all(|map| map.as_constant().map(ebpf::leaf) == Some(*leaf)));
            if !constant {
                return Some("a constant stands for what is none".into());
            }
            continue;
        };
        let regions = Subject::of(other, program).and_then(verify::template::regions)?;
        for region in regions {
            for class in 0..diagram.classes() as u32 {
                for key in &keys {
                    let expected = ebpf::leaf(diagram.l4(ClassId(class)).eval(L4Key::from_raw(*key)?));
                    let found = decide(other, program, region, class, *key);
                    if found != Ok(expected) {
                        return Some(format!("class {class}, key {key:#x}: {found:?} instead of {expected}"));
                    }
                }
            }
        }
    }
    None
}

/// The leaf that a decision gives, run by itself.
fn decide(image: &Image, program: &Program, region: Region, class: u32, key: u32) -> Result<u8, String> {
    let alone = alone(image, program, region, FIRST_PEER + class, key);
    let mut machine = Machine::load(&alone).map_err(|error| error.to_string())?;
    machine.set_class(program.hook, FIRST_PEER + class, class as u16);
    let mut maps = NodeMaps::new(&image.target);
    let outcome =
        machine.run(&mut maps, program.hook, &[0; 64], &Context::default()).map_err(|fault| fault.to_string())?;
    u8::try_from(outcome.action).map_err(|error| error.to_string())
}

/// An image whose program sets up a peer and a key, decides, and returns the leaf that the way out stands for.
fn alone(image: &Image, program: &Program, region: Region, peer: u32, key: u32) -> Image {
    let little = image.target.little_endian;
    let word = |opcode: u8, registers: (u8, u8), offset: i16, imm: i32| {
        let (dst, src) = registers;
        let [o0, o1] = if little { offset.to_le_bytes() } else { offset.to_be_bytes() };
        let [i0, i1, i2, i3] = if little { imm.to_le_bytes() } else { imm.to_be_bytes() };
        let bytes = [opcode, if little { src << 4 | dst } else { dst << 4 | src }, o0, o1, i0, i1, i2, i3];
        if little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
    };
    // The key stands in the record, which begins 80 bytes below the frame pointer.
    let place = -80 + layout::record::L4_KEY as i16;
    let mut insns =
        vec![word(0xbf, (6, 1), 0, 0), word(0x62, (10, 0), place, key as i32), word(0xb7, (2, 0), 0, peer as i32)];
    let shift = insns.len();
    let body = &program.insns[region.start..region.end];
    let ways = [
        (region.end, layout::LEAF_DENY),
        (region.allow, layout::LEAF_ALLOW),
        (region.no_proxy, layout::LEAF_REDIRECT),
        (region.auth_required, layout::LEAF_AUTH),
    ];
    // Behind the body: a pair of instructions for each way out, the last one for all others.
    let stub = |at: usize| {
        let way = ways.iter().position(|(to, _)| *to == at).unwrap_or(ways.len());
        shift + body.len() + 2 * way
    };
    for (at, insn) in (region.start..).zip(body) {
        let bytes = if little { insn.to_le_bytes() } else { insn.to_be_bytes() };
        let jumps = matches!(bytes[0] & 7, 5 | 6) && !matches!(bytes[0], 0x85 | 0x95);
        let offset =
            if little { i16::from_le_bytes([bytes[2], bytes[3]]) } else { i16::from_be_bytes([bytes[2], bytes[3]]) };
        let to = at + 1 + offset.max(0) as usize;
        if jumps && to >= region.end {
            let new = (stub(to) - (at - region.start + shift) - 1) as i16;
            let mut bytes = bytes;
            [bytes[2], bytes[3]] = if little { new.to_le_bytes() } else { new.to_be_bytes() };
            insns.push(if little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) });
        } else {
            insns.push(*insn);
        }
    }
    for leaf in ways.iter().map(|(_, leaf)| *leaf).chain([layout::LEAF_DENY]) {
        insns.extend([word(0xb7, (0, 0), 0, i32::from(leaf)), word(0x95, (0, 0), 0, 0)]);
    }
    let inside = |reloc: &&Reloc| (region.start..region.end).contains(&(reloc.at as usize));
    let moved = |reloc: &Reloc| Reloc { at: reloc.at - region.start as u32 + shift as u32, ..*reloc };
    let relocs = program.relocs.iter().filter(inside).map(moved).collect();
    let alone = Program { insns, relocs, ..program.clone() };
    // The other program keeps its place: classes are known by the place of theirs.
    let programs =
        image.programs.iter().map(|it| if it.hook == program.hook { alone.clone() } else { it.clone() }).collect();
    Image { programs, ..image.clone() }
}
