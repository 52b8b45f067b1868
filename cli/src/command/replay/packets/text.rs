//! The report of captured packets for people, and its tables.

use super::report::{PacketFate, PacketFlow, PacketReport, PacketRow, PacketSide};
use crate::cluster::ClusterEntry;
use crate::command::replay::tables::quoted;
use crate::render::count;
use crate::report::Incomplete;

/// The whole report; at most `limit` flows, and as many packets that are dropped or changed.
pub fn text(report: &PacketReport, limit: usize, colours: bool) -> String {
    let mut out = format!("{}   {}\n", headline(report), report.dialect);
    if let Some(old) = &report.old_dialect {
        out += &format!("compared with policies under {old}\n");
    }
    out += &Incomplete::lines(&report.incomplete);
    out += &ClusterEntry::line(report.cluster.as_ref());
    // Why: who compares asks for what changes.
    let shown = |flow: &&PacketFlow| !report.summary.compared || flow.change != "same";
    let flows: Vec<&PacketFlow> = report.flows.iter().filter(shown).collect();
    for flow in flows.iter().take(limit) {
        out += &format!("\n{}", paragraph(flow, colours));
    }
    if flows.len() > limit {
        out += &format!("\nand {} more flows; `--limit` or `-o json` lists them\n", flows.len() - limit);
    }
    let telling: Vec<&PacketRow> = report.packets.iter().filter(|it| tells(it)).collect();
    if !telling.is_empty() {
        let what = if report.summary.compared { "changed packets:" } else { "dropped packets:" };
        out += &format!("\n{what}\n");
        telling.iter().take(limit).for_each(|it| out += &format!("  {}\n", line(it)));
        if telling.len() > limit {
            out += &format!("  and {} more; `--limit` or `-o csv` lists them\n", telling.len() - limit);
        }
    }
    out + "\n" + &coverage(report)
}

/// One line a flow, and one for all.
pub fn concise(report: &PacketReport) -> String {
    let mut out = String::new();
    for it in &report.flows {
        match &it.old {
            Some(old) => out += &format!("{}: {}: {} => {}\n", it.change, name(it), fate(old), fate(&it.new)),
            None => out += &format!("{}: {}\n", name(it), fate(&it.new)),
        }
    }
    out + &headline(report) + "\n"
}

/// Each packet as a JSON object, and the summary in the last.
pub fn jsonl(report: &PacketReport) -> String {
    let mut out = String::new();
    for packet in &report.packets {
        out += &format!("{}\n", serde_json::json!({ "packet": packet }));
    }
    for flow in &report.flows {
        out += &format!("{}\n", serde_json::json!({ "flow": flow }));
    }
    let (summary, undecided, dialect) = (&report.summary, &report.undecided, &report.dialect);
    out + &format!("{}\n", serde_json::json!({ "summary": summary, "undecided": undecided, "dialect": dialect }))
}

/// A table of the packets.
pub fn csv(report: &PacketReport) -> String {
    let mut out = "file,number,time,source,destination,port,answer,old,new\n".to_owned();
    for it in &report.packets {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = [
            it.file.clone(),
            it.number.to_string(),
            or_empty(&it.time),
            it.source.clone(),
            it.destination.clone(),
            or_empty(&it.port),
            it.answer.to_string(),
            or_empty(&it.old),
            it.new.clone(),
        ];
        out += &(fields.map(|field| quoted(&field)).join(",") + "\n");
    }
    out
}

/// Whether a packet is worth a line.
fn tells(it: &PacketRow) -> bool {
    match &it.old {
        Some(old) => old.starts_with("pass") != it.new.starts_with("pass"),
        None => !it.new.starts_with("pass"),
    }
}

fn headline(report: &PacketReport) -> String {
    let it = &report.summary;
    let decided = count(it.decided as usize, "packet", "packets");
    match (it.packets, it.decided, it.compared) {
        (0, ..) => "no packet was read".into(),
        (_, 0, _) => "no packet could be decided".into(),
        (_, _, true) if it.changed == 0 => format!("nothing changes: {decided} decided alike"),
        (_, _, true) => {
            let parts = [(it.lost, "lost"), (it.gained, "gained")];
            let parts: Vec<String> =
                parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
            format!("{} of {} decided packets change: {}", it.changed, it.decided, parts.join(", "))
        }
        (_, _, false) => format!("{} of {} decided packets are dropped", it.dropped, it.decided),
    }
}

fn name(it: &PacketFlow) -> String {
    let port = it.port.as_deref().unwrap_or("(headers that cannot be read)");
    format!("{} -> {} {port}", it.source, it.destination)
}

fn fate(it: &PacketFate) -> String {
    let mut parts = Vec::new();
    if it.passed > 0 {
        parts.push(format!("{} pass", it.passed));
    }
    parts.extend(it.dropped.iter().map(|(why, packets)| format!("{packets} dropped ({why})")));
    parts.join(", ")
}

fn paragraph(it: &PacketFlow, colours: bool) -> String {
    let kind = match (colours, it.change.as_str()) {
        (_, "same") => String::new(),
        (true, "lost") => "\x1b[1;31mlost\x1b[0m  ".to_owned(),
        (true, kind) => format!("\x1b[1;33m{kind}\x1b[0m  "),
        (false, kind) => format!("{kind}  "),
    };
    let packets = count(it.packets as usize, "packet", "packets");
    let answers = match it.answers {
        0 => String::new(),
        answers => format!(", {}", count(answers as usize, "answer", "answers")),
    };
    let mut out = format!("{kind}{}   {packets}{answers}\n", name(it));
    match &it.old {
        Some(old) => {
            out += &format!("  was {}\n{}", fate(old), sides(old));
            out += &format!("  now {}\n{}", fate(&it.new), sides(&it.new));
        }
        None => out += &format!("  {}\n{}", fate(&it.new), sides(&it.new)),
    }
    out
}

fn sides(it: &PacketFate) -> String {
    it.sides.iter().map(side).collect()
}

fn side(side: &PacketSide) -> String {
    let why = match (side.because.as_str(), side.verdict.as_str()) {
        ("rule", _) => "by",
        (_, "deny") => "no rule allows it; isolated by",
        _ => "no policy isolates it",
    };
    let mut out = format!("    {} {}: {why}\n", side.direction, side.verdict);
    for cause in &side.by {
        out += &format!("      {cause}\n");
    }
    out
}

fn line(it: &PacketRow) -> String {
    let port = it.port.as_ref().map_or(String::new(), |port| format!(" {port}"));
    let answer = if it.answer { " (answer)" } else { "" };
    let old = it.old.as_ref().map_or(String::new(), |old| format!("{old} => "));
    format!("{}:{}: {} -> {}{port}{answer}: {old}{}", it.file, it.number, it.source, it.destination, it.new)
}

fn coverage(report: &PacketReport) -> String {
    let it = &report.summary;
    let span = match (&it.from, &it.to) {
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
        _ => String::new(),
    };
    let packets = count(it.packets as usize, "packet", "packets");
    let not = it.packets - it.decided;
    let mut out = format!("coverage: {packets}{span}: {} decided, {not} not\n", it.decided);
    let width = report.undecided.iter().map(|it| it.reason.len()).max().unwrap_or(0);
    for row in &report.undecided {
        let of = if row.of.is_empty() { String::new() } else { format!("{}: ", row.of.join(", ")) };
        out += &format!("  {:width$}  {:>8}  {of}{}\n", row.reason, row.records, row.means);
    }
    if it.further > 0 {
        out += &format!(
            "  {} of flows beyond the first 100000 are not told apart\n",
            count(it.further as usize, "packet", "packets")
        );
    }
    if report.unlisted() > 0 {
        out += &format!("  {} packets are not listed one by one\n", report.unlisted());
    }
    out
}
