//! How an image decides, in numbers: as forecast from the diagram, and as built.

use super::report::{DirectionEntry, ForecastEntry, OtherEntry, StepEntry};
use crate::certificate;
use diagram::Diagram;
use ebpf::Matrix;
use ebpf::asm::{CALL, Insn};
use ebpf::decide::choose::{self, Candidate, Cost, Given, Key};
use image::{DirectionPlan, Hook, Image, KeyPlan, LeafPlan, Target, layout};

/// An image as built.
pub fn built(image: &Image) -> super::report::ImageEntry {
    let [to, from] = image.hooks();
    super::report::ImageEntry {
        digest: image.digest().to_string(),
        bytes: image.to_bytes().len() as u64,
        ingress: built_direction(image, to, &image.plan.ingress),
        egress: built_direction(image, from, &image.plan.egress),
    }
}

fn built_direction(image: &Image, hook: Hook, plan: &DirectionPlan) -> DirectionEntry {
    let (instructions, calls) = code(image, hook);
    let plan = match plan {
        DirectionPlan::Constant(leaf) => return constant(*leaf, instructions, calls),
        DirectionPlan::Cells(plan) => plan,
    };
    let bytes = |table: Option<u16>| {
        let table = table.and_then(|table| image.tables.get(usize::from(table)));
        u64::from(table.map_or(0, |table| table.value_size(1 << image.target.peers_log2)))
    };
    let [table_bytes, class_bytes, counter_bytes] =
        [plan.fixed_table(), plan.class_table, plan.counter_table].map(bytes);
    let (column, slots, pages, paged) = match &plan.key {
        KeyPlan::One => ("nothing", 0, 0, 0),
        KeyPlan::Sum(_) => ("sum", 0, 0, 0),
        KeyPlan::Tree(_) => ("tree", 0, 0, 0),
        KeyPlan::Pages(plan) => ("pages", plan.slots(), plan.page_count(), u64::from(plan.end)),
    };
    let leaf = match &plan.leaf {
        LeafPlan::Word { .. } => "word",
        LeafPlan::Matrix { .. } => "matrix",
        LeafPlan::Ends(_) => "ends",
    };
    // A slot is a byte, a page and a column are two, a leaf is one.
    let entries = table_bytes - paged.saturating_sub(256) / 2;
    DirectionEntry {
        shape: "cells".into(),
        verdict: None,
        classes: plan.class_count,
        columns: plan.column_count,
        class_shape: plan.class_table.map_or("nothing", |_| "array").into(),
        column_shape: column.into(),
        leaf_shape: leaf.into(),
        slots,
        pages,
        table_bytes,
        class_bytes,
        counter_bytes,
        entries: entries + class_bytes / 2 + counter_bytes / 8,
        decision: decision(image, hook),
        instructions,
        calls,
        forecast: None,
    }
}

/// Instructions of a decision: the one of IPv4, whose twin is that of IPv6.
fn decision(image: &Image, hook: Hook) -> u32 {
    let subject = image.program(hook).and_then(|program| verify::lift::Subject::of(image, program));
    let regions = subject.and_then(verify::template::regions).unwrap_or_default();
    regions.first().map_or(0, |region| (region.end - region.start) as u32)
}

fn constant(leaf: u8, instructions: u32, calls: u32) -> DirectionEntry {
    DirectionEntry {
        shape: "constant".into(),
        verdict: Some(certificate::word(leaf).into()),
        classes: 1,
        columns: 1,
        class_shape: "nothing".into(),
        column_shape: "nothing".into(),
        leaf_shape: "constant".into(),
        slots: 0,
        pages: 0,
        table_bytes: 0,
        class_bytes: 0,
        counter_bytes: 0,
        entries: 0,
        decision: 0,
        instructions,
        calls,
        forecast: None,
    }
}

/// Instructions of a program, and how many of them are calls of kernel functions.
fn code(image: &Image, hook: Hook) -> (u32, u32) {
    let insns = image.program(hook).map_or(&[][..], |program| &program.insns);
    let is_call = |word: &&u64| Insn::from_word(**word, image.target.little_endian).opcode == CALL;
    (insns.len() as u32, insns.iter().filter(is_call).count() as u32)
}

/// What the plan of a direction will be, from its diagram alone. `None` when the diagram is larger than any table.
pub fn forecast(hook: Hook, diagram: &Diagram, target: &Target) -> Option<DirectionEntry> {
    let priced = forecast_of(hook, &Matrix::of(diagram).ok()?, ebpf::Shapes::Cheapest, target);
    priced.map(|entry| DirectionEntry { forecast: None, ..entry })
}

/// Likewise, with prices and with what else was possible; of a matrix with the hits of a profile, or where only some shapes are asked.
pub fn forecast_of(hook: Hook, matrix: &Matrix, shapes: ebpf::Shapes, target: &Target) -> Option<DirectionEntry> {
    if let Some(leaf) = matrix.as_constant() {
        let (instructions, calls) = code_like(hook, &Matrix::constant(leaf), target)?;
        return Some(constant(leaf, instructions, calls));
    }
    let given = Given { peers_log2: target.peers_log2, counted: true, shapes };
    let candidates = choose::candidates(matrix, given);
    let (best, others) = candidates.split_first()?;
    // What surrounds a decision is the same for all, but for those of trees that need no check: as long as that of the smallest one.
    let small = stand_in(matches!(best.leaf, choose::Leaf::Ends));
    let small_decision = choose::candidates(&small, given).first()?.cost().instructions;
    let (around, calls) = code_like(hook, &small, target)?;
    let decision = best.cost().instructions;
    let (slots, pages) = match best.key {
        Key::Pages { slots, pages } => (slots, pages),
        _ => (0, 0),
    };
    Some(DirectionEntry {
        shape: "cells".into(),
        verdict: None,
        classes: matrix.class_count,
        columns: matrix.column_count(),
        class_shape: best.class_name().into(),
        column_shape: best.key_name().into(),
        leaf_shape: best.leaf_name().into(),
        slots,
        pages,
        table_bytes: best.key_cost.bytes + best.leaf_cost.bytes,
        class_bytes: best.class_cost.bytes,
        counter_bytes: best.frame_cost.bytes,
        entries: best.cost().entries,
        decision,
        // Two decisions, that of IPv4 and that of IPv6.
        instructions: around - 2 * small_decision + 2 * decision,
        calls,
        forecast: Some(priced(best, others)),
    })
}

fn priced(best: &Candidate, others: &[Candidate]) -> ForecastEntry {
    let step =
        |step: &str, shape: &str, cost: Cost| StepEntry { step: step.into(), shape: shape.into(), cost: cost.into() };
    let other = |it: &Candidate| OtherEntry {
        column_shape: it.key_name().into(),
        leaf_shape: it.leaf_name().into(),
        cost: it.cost().into(),
    };
    ForecastEntry {
        steps: vec![
            step("peer -> class", best.class_name(), best.class_cost),
            step("key -> column", best.key_name(), best.key_cost),
            step("cell -> leaf", best.leaf_name(), best.leaf_cost),
            step("counting", "counters", best.frame_cost),
        ],
        all: best.cost().into(),
        others: others.iter().map(other).collect(),
    }
}

/// The smallest decision that is none of a constant: by a tree, or of two classes.
fn stand_in(tree: bool) -> Matrix {
    let leaves = vec![layout::LEAF_DENY, layout::LEAF_ALLOW];
    match tree {
        true => Matrix { cuts: vec![(0, 0), (1, 1)], leaves, ..Matrix::allow() },
        false => Matrix { class_count: 2, leaves, signatures: vec![vec![]; 2], ..Matrix::allow() },
    }
}

fn code_like(hook: Hook, matrix: &Matrix, target: &Target) -> Option<(u32, u32)> {
    let hooks = if hook.is_host() { Hook::HOST } else { Hook::BOTH };
    ebpf::compile_hooks(hooks, "", matrix, matrix, target).ok().map(|image| code(&image, hook))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagram::Limits;
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
