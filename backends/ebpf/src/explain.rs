//! What an image does and how, for people.

use crate::asm::Insn;
use image::{CellPlan, DirectionPlan, Hook, Image, KeyPlan, LeafPlan, Program};
use std::fmt::Write;

/// The plan of an image: per direction its shape, classes, columns, bytes and instructions. One line a fact.
pub fn explain(image: &Image) -> String {
    let mut out = format!("{}\n", image.notes.subject);
    for program in &image.programs {
        let (name, plan) = match program.hook {
            Hook::ToEndpoint | Hook::ToHost => ("ingress", &image.plan.ingress),
            Hook::FromEndpoint | Hook::FromHost => ("egress", &image.plan.egress),
        };
        let mut line = |text: String| {
            // Writing into a string cannot fail.
            let _ = writeln!(out, "  {text}");
        };
        let (insns, calls) = (program.insns.len(), calls(program, image.target.little_endian));
        line(format!("{name} code: {insns} instructions, {calls} calls of kernel functions, most off the common path"));
        match plan {
            DirectionPlan::Constant(leaf) => {
                line(format!("  {name}: every flow {}, nothing is asked", leaf_name(*leaf)));
            }
            DirectionPlan::Cells(plan) => cells(image, name, plan).into_iter().for_each(line),
        }
    }
    out
}

fn cells(image: &Image, name: &str, plan: &CellPlan) -> Vec<String> {
    let bytes = |table: Option<u16>| {
        let table = table.and_then(|table| image.tables.get(usize::from(table)));
        table.map_or(0, |table| table.value_size(1 << image.target.peers_log2))
    };
    let cells = u64::from(plan.class_count) * u64::from(plan.column_count);
    let key = match &plan.key {
        KeyPlan::One => "one column, the key is not read".to_owned(),
        KeyPlan::Sum(cuts) => format!("column by a sum of comparisons at {} boundaries", cuts.len() - 1),
        KeyPlan::Tree(cuts) => format!("column by a tree of comparisons at {} boundaries", cuts.len() - 1),
        KeyPlan::Pages(plan) => {
            format!("column by {} protocol slots and {} pages", plan.slots(), plan.page_count())
        }
    };
    let leaf = match &plan.leaf {
        LeafPlan::Word { bits, .. } => format!("leaf from a word in the code, {bits} of its bits each"),
        LeafPlan::Matrix { .. } => "leaf from a matrix".to_owned(),
        LeafPlan::Ends(_) => "leaf where the tree ends".to_owned(),
    };
    let [table, classes, counters] = [plan.fixed_table(), plan.class_table, plan.counter_table].map(bytes);
    vec![
        format!("  {name}: {} classes x {} columns = {cells} leaves", plan.class_count, plan.column_count),
        format!("  {key}; {leaf}"),
        format!("  decision table {table} bytes, class table {classes} bytes, leaf counters {counters} bytes"),
    ]
}

fn calls(program: &Program, little_endian: bool) -> usize {
    program.insns.iter().filter(|word| Insn::from_word(**word, little_endian).opcode == crate::asm::CALL).count()
}

fn leaf_name(leaf: u8) -> &'static str {
    match leaf {
        image::layout::LEAF_ALLOW => "allow",
        image::layout::LEAF_REDIRECT => "drop (no-proxy)",
        image::layout::LEAF_AUTH => "drop (auth-required)",
        _ => "deny",
    }
}
