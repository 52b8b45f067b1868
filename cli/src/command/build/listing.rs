//! The instructions of a program, with what they are for: `--emit asm`.

use ebpf::asm::{self, CALL, Helper, Insn};
use flow::Family;
use image::{CellPlan, DirectionPlan, Image, KeyPlan, LeafPlan, MapRef, Program, Reloc};
use std::fmt::Write;
use verify::lift::{Region, Subject};
use verify::template::{family, regions};

/// The text of a program, with what its maps and calls are, where its decisions stand, and which rules are behind their cells.
pub fn listing(image: &Image, program: &Program, decision: &draw::Decision<'_>) -> String {
    let mut out = format!("; program {}, {} instructions\n", program.name, program.insns.len());
    let regions = Subject::of(image, program).and_then(regions).unwrap_or_default();
    for line in draw::cells(decision).lines() {
        // Writing into a string cannot fail.
        let _ = writeln!(out, "; {line}");
    }
    for line in asm::text(program, image.target.little_endian).lines() {
        let number = line.split(':').next().and_then(|number| number.trim().parse::<u32>().ok());
        for words in number.iter().flat_map(|at| boundary(program, &regions, *at as usize)) {
            let _ = writeln!(out, "; {words}");
        }
        let comment = number.and_then(|at| comment(image, program, at));
        let _ = match comment {
            Some(comment) => writeln!(out, "{line:<44} ; {comment}"),
            None => writeln!(out, "{line}"),
        };
    }
    out
}

/// What begins or ends at an instruction.
fn boundary(program: &Program, regions: &[Region], at: usize) -> Option<String> {
    let begins = regions.iter().find(|it| it.start == at).map(|it| {
        let flows = match family(program, *it) {
            Some(Family::V4) => "flows of IPv4",
            Some(Family::V6) => "flows of IPv6",
            None => "flows",
        };
        format!("the decision about {flows}: peer -> class, key -> column, cell -> leaf")
    });
    let ends = regions.iter().find(|it| it.end == at).map(|it| {
        format!(
            "it ends: allowed -> {}, to a proxy -> {}, authenticated -> {}",
            it.allow, it.no_proxy, it.auth_required
        )
    });
    begins.or(ends)
}

fn comment(image: &Image, program: &Program, at: u32) -> Option<String> {
    if let Some(reloc) = program.relocs.iter().find(|reloc| reloc.at == at) {
        return map(image, program, reloc);
    }
    let insn = Insn::from_word(*program.insns.get(at as usize)?, image.target.little_endian);
    (insn.opcode == CALL).then(|| helper(insn.imm).to_owned())
}

/// What a reference to a table of the image is.
fn map(image: &Image, program: &Program, reloc: &Reloc) -> Option<String> {
    let MapRef::Own(index) = reloc.map else { return None };
    let name = &image.tables.get(usize::from(index))?.name;
    let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
    let part = match plan {
        DirectionPlan::Cells(plan) if plan.fixed_table() == Some(index) => part(plan, reloc.value_offset?),
        DirectionPlan::Cells(plan) if plan.class_table == Some(index) => "peer -> class",
        DirectionPlan::Cells(plan) if plan.counter_table == Some(index) => "packets of each leaf",
        _ => "digest of this image",
    };
    Some(format!("{name}: {part}"))
}

fn part(plan: &CellPlan, offset: u32) -> &'static str {
    match (&plan.key, &plan.leaf) {
        (_, LeafPlan::Matrix { offset: leaves, .. }) if offset == *leaves => "column, class -> leaf",
        (KeyPlan::Pages(plan), _) if offset == plan.protocols => "protocol -> slot",
        (KeyPlan::Pages(plan), _) if offset == plan.pages => "slot, high byte of the port -> page",
        (KeyPlan::Pages(plan), _) if offset == plan.columns => "page, low byte of the port -> column",
        _ => "?",
    }
}

fn helper(number: i32) -> &'static str {
    const KNOWN: [(Helper, &str); 8] = [
        (Helper::MapLookup, "map_lookup_elem(map, key)"),
        (Helper::MapUpdate, "map_update_elem(map, key, value, flags)"),
        (Helper::KtimeNs, "ktime_get_ns()"),
        (Helper::PullData, "skb_pull_data(skb, len)"),
        (Helper::SpinLock, "spin_lock(lock)"),
        (Helper::SpinUnlock, "spin_unlock(lock)"),
        (Helper::Jiffies64, "jiffies64(), inlined"),
        (Helper::RingbufOutput, "ringbuf_output(ring, data, size, flags)"),
    ];
    KNOWN.into_iter().find(|(helper, _)| *helper as i32 == number).map_or("?", |(_, name)| name)
}
