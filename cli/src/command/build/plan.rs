//! How an image decides, in numbers: as forecast from the diagram, and as built.

use super::report::{DirectionEntry, ImageEntry};
use crate::certificate;
use diagram::{ColumnId, Diagram, Limits};
use ebpf::asm::{CALL, Insn};
use ebpf::{MAX_CELLS, Matrix};
use image::{DirectionPlan, Hook, Image, Target, layout};
use std::collections::BTreeSet;

/// An image as built.
pub fn built(image: &Image) -> ImageEntry {
    let [to, from] = image.hooks();
    ImageEntry {
        digest: image.digest().to_string(),
        bytes: image.to_bytes().len() as u64,
        ingress: built_direction(image, to, &image.plan.ingress),
        egress: built_direction(image, from, &image.plan.egress),
    }
}

fn built_direction(image: &Image, hook: Hook, plan: &DirectionPlan) -> DirectionEntry {
    let (instructions, calls) = code(image, hook);
    let bytes = |table: u16| {
        let table = image.tables.get(usize::from(table));
        u64::from(table.map_or(0, |table| table.value_size(1 << image.target.peers_log2)))
    };
    match plan {
        DirectionPlan::Constant(leaf) => constant(*leaf, instructions, calls),
        DirectionPlan::Tables(plan) => DirectionEntry {
            shape: "tables".into(),
            verdict: None,
            classes: plan.class_count,
            columns: plan.column_count,
            slots: (plan.columns - plan.pages) / 512,
            pages: (plan.leaves - plan.columns) / 512,
            table_bytes: bytes(plan.table),
            class_bytes: bytes(plan.class_table),
            counter_bytes: plan.counter_table.map_or(0, bytes),
            instructions,
            calls,
        },
    }
}

fn constant(leaf: u8, instructions: u32, calls: u32) -> DirectionEntry {
    DirectionEntry {
        shape: "constant".into(),
        verdict: Some(certificate::word(leaf).into()),
        classes: 1,
        columns: 1,
        slots: 0,
        pages: 0,
        table_bytes: 0,
        class_bytes: 0,
        counter_bytes: 0,
        instructions,
        calls,
    }
}

/// Instructions of a program, and how many of them are calls of kernel functions.
fn code(image: &Image, hook: Hook) -> (u32, u32) {
    let insns = image.program(hook).map_or(&[][..], |program| &program.insns);
    let is_call = |word: &&u64| Insn::from_word(**word, image.target.little_endian).opcode == CALL;
    (insns.len() as u32, insns.iter().filter(is_call).count() as u32)
}

/// What the plan of a direction will be, from its diagram alone. `None` when the diagram is larger than any table.
///
/// Programs do not grow with the policy, so that their length is that of any program of the same shape.
pub fn forecast(hook: Hook, diagram: &Diagram, target: &Target) -> Option<DirectionEntry> {
    let columns = diagram.columns(&Limits { cells: MAX_CELLS, ..Limits::default() }).ok()?;
    let mut leaves = BTreeSet::new();
    for column in 0..columns.columns() as u32 {
        leaves.extend(columns.column(ColumnId(column)).iter().map(|verdict| ebpf::leaf(*verdict)));
    }
    if let (1, Some(leaf)) = (leaves.len(), leaves.first()) {
        let (instructions, calls) = code_like(hook, &Matrix::constant(*leaf), target)?;
        return Some(constant(*leaf, instructions, calls));
    }
    let (classes, column_count) = (columns.classes() as u32, columns.columns() as u32);
    let cuts: Vec<(u32, u32)> = columns.cuts().iter().map(|(key, column)| (key.raw(), column.0)).collect();
    let (slots, pages) = parts(&cuts);
    let (instructions, calls) = code_like(hook, &stand_in(classes > 1), target)?;
    // A check against a limit that a number's width keeps anyway is left out of both decisions, that of IPv4 and that of IPv6.
    let needless = 2 * (u32::from(slots == 1 << 8) + u32::from(pages == 1 << 16) + u32::from(classes == 1 << 16));
    let cells = u64::from(classes) * u64::from(column_count);
    Some(DirectionEntry {
        shape: "tables".into(),
        verdict: None,
        classes,
        columns: column_count,
        slots,
        pages,
        table_bytes: 256 + 512 * u64::from(slots) + 512 * u64::from(pages) + cells,
        class_bytes: 2 << target.peers_log2,
        counter_bytes: 8 * cells,
        instructions: instructions - needless,
        calls,
    })
}

/// The smallest decision that needs a table, with one class or with two.
fn stand_in(classes: bool) -> Matrix {
    let allow = layout::LEAF_ALLOW;
    let deny = layout::LEAF_DENY;
    match classes {
        true => Matrix { class_count: 2, cuts: vec![(0, 0)], leaves: vec![deny, allow], signatures: vec![vec![]; 2] },
        false => {
            Matrix { class_count: 1, cuts: vec![(0, 0), (1, 1)], leaves: vec![deny, allow], signatures: vec![vec![]] }
        }
    }
}

fn code_like(hook: Hook, matrix: &Matrix, target: &Target) -> Option<(u32, u32)> {
    let hooks = if hook.is_host() { Hook::HOST } else { Hook::BOTH };
    ebpf::compile_hooks(hooks, "", matrix, matrix, target).ok().map(|image| code(&image, hook))
}

/// How many different slots of 256 pages, and how many different pages of 256 keys, cuts make.
fn parts(cuts: &[(u32, u32)]) -> (u32, u32) {
    let mut pages: BTreeSet<Vec<(u32, u32)>> = BTreeSet::new();
    let mut slots: BTreeSet<Vec<(u32, u32)>> = BTreeSet::new();
    for protocol in 0..256u32 {
        let slot = inside(cuts, protocol << 16, 1 << 16);
        // Pages without a cut are constant, and there are as many of them as columns that run over one.
        let mut page = 0;
        while page < 256 {
            let (first, size) = (protocol << 16 | page << 8, 256);
            let content = inside(cuts, first, size);
            let next = cuts.get(cuts.partition_point(|(start, _)| *start < first + size)).map_or(1 << 24, |it| it.0);
            let quiet = if content.len() == 1 { (next - first) / size } else { 1 };
            pages.insert(content);
            page += quiet.max(1);
        }
        slots.insert(slot);
    }
    (slots.len() as u32, pages.len() as u32)
}

/// The cuts of a stretch of keys, counted from its first, which is always one of them.
fn inside(cuts: &[(u32, u32)], first: u32, size: u32) -> Vec<(u32, u32)> {
    // Cannot miss: the first cut is at 0.
    let from = cuts.partition_point(|(start, _)| *start <= first).saturating_sub(1);
    let to = cuts.partition_point(|(start, _)| *start < first + size);
    cuts[from..to].iter().map(|(start, column)| (start.saturating_sub(first), *column)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::RuleSet;

    #[test]
    fn what_is_forecast_is_what_is_built() {
        let target = Target::default();
        for rules in [
            "fallback allow",
            "fallback deny by a \"\"",
            "tier t\n level 0\n  allow peers any l4 tcp/80 by a \"\"\nfallback deny by a \"\"",
            "tier t\n level 0\n  allow peers {1} l4 any by a \"\"\nfallback deny by a \"\"",
            "tier t\n level 0\n  allow peers {1} l4 tcp/80-600,udp/*,icmp/8.0 by a \"\"\n  deny peers {2-3} l4 tcp/81 by a \"\"\nfallback deny by a \"\"",
            "tier t\n level 0\n  allow peers {1} l4 tcp/255-257 by a \"\"\n  allow peers {2} l4 sctp/0,132/65535 by a \"\"\nfallback allow",
            "listener l0 x\ntier t\n level 0\n  allow peers any l4 any redirect l0 priority 1 by a \"\"\nfallback deny by a \"\"",
        ] {
            let diagram = diagram::build(&RuleSet::parse(rules).unwrap(), 5, &Limits::default()).unwrap();
            let image = ebpf::compile("", &diagram, &diagram, &target).unwrap();
            let built = built(&image);
            assert_eq!(forecast(Hook::ToEndpoint, &diagram, &target), Some(built.ingress), "{rules}");
            assert_eq!(forecast(Hook::FromEndpoint, &diagram, &target), Some(built.egress), "{rules}");
        }
    }

    #[test]
    fn a_slot_a_protocol_needs_no_check_and_none_is_forecast() {
        // Keys of ICMP are written as type and code.
        let key = |protocol: u8| match protocol {
            1 | 58 => format!("{protocol}/0.{protocol}"),
            _ => format!("{protocol}/{protocol}"),
        };
        let ports: Vec<String> = (0..=255).map(key).collect();
        let rules = format!("tier t\n level 0\n  allow peers {{1}} l4 {} by a \"\"\nfallback allow\n", ports.join(","))
            .replacen("allow", "deny", 1);
        let diagram = diagram::build(&RuleSet::parse(&rules).unwrap(), 5, &Limits::default()).unwrap();
        let target = Target::default();
        let built = built(&ebpf::compile("", &diagram, &diagram, &target).unwrap());
        assert_eq!(built.ingress.slots, 256);
        assert_eq!(forecast(Hook::ToEndpoint, &diagram, &target), Some(built.ingress));
    }
}
