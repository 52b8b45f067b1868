//! What an image does and how, for people.

use crate::asm::Insn;
use image::{DirectionPlan, Hook, Image, Program, TablePlan};
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
                line(format!("  {name}: every flow {}, no decision table", leaf_name(*leaf)));
            }
            DirectionPlan::Tables(plan) => tables(image, name, plan).into_iter().for_each(line),
        }
    }
    out
}

fn tables(image: &Image, name: &str, plan: &TablePlan) -> Vec<String> {
    let bytes = |table: u16| {
        image.tables.get(usize::from(table)).map_or(0, |table| table.value_size(1 << image.target.peers_log2))
    };
    let cells = u64::from(plan.class_count) * u64::from(plan.column_count);
    let slots = (plan.columns.saturating_sub(plan.pages)) / 512;
    let pages = (plan.leaves.saturating_sub(plan.columns)) / 512;
    let mut lines = vec![
        format!("  {name}: class of the peer, column of protocol and port, leaf"),
        format!("  {} classes x {} columns = {cells} leaves", plan.class_count, plan.column_count),
        format!("  {slots} protocol slots, {pages} pages of columns"),
        format!("  decision table {} bytes, class table {} bytes", bytes(plan.table), bytes(plan.class_table)),
    ];
    lines.extend(plan.counter_table.map(|table| format!("  leaf counters {} bytes", bytes(table))));
    lines
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
