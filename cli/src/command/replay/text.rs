//! The report of `replay` for people.

use super::report::{Coverage, ReplayChange, ReplayReport, ReplayStep};
use crate::cluster::ClusterEntry;
use crate::render::count;
use crate::report::Incomplete;

/// The whole report; at most `limit` changes.
pub fn text(report: &ReplayReport, limit: usize, colours: bool) -> String {
    let mut out = format!("{}   {}\n", headline(report), report.dialect);
    if let Some(old) = &report.old_dialect {
        out += &format!("compared with policies under {old}\n");
    }
    out += &Incomplete::lines(&report.incomplete);
    out += &ClusterEntry::line(report.cluster.as_ref());
    for change in report.changes.iter().take(limit) {
        out += &format!("\n{}", paragraph(change, colours));
    }
    if report.changes.len() > limit {
        out += &format!("\nand {} more; `--limit` or `-o csv` lists them\n", report.changes.len() - limit);
    }
    out += &format!("\n{}", coverage(&report.coverage));
    out
}

/// One line a change, and one for the coverage.
pub fn concise(report: &ReplayReport) -> String {
    let mut out = String::new();
    for it in &report.changes {
        let by = |step: &ReplayStep| step.by.first().map_or(String::new(), |cause| format!(" ({cause})"));
        let (old, new) = (&it.old, &it.new);
        out += &format!("{}: {}: {}{} => {}{}\n", it.change, flow(it), old.verdict, by(old), new.verdict, by(new));
    }
    out + &headline(report) + "\n"
}

fn headline(report: &ReplayReport) -> String {
    let summary = &report.summary;
    let than = if report.compared_with == "recorded" { " from what was recorded" } else { "" };
    let decided = report.coverage.decided;
    match (decided, summary.changed) {
        (0, _) if report.coverage.records == 0 => "no record was read".into(),
        (0, _) => "no record could be decided".into(),
        (_, 0) => {
            format!("nothing changes{than}: {} decided alike", count(decided as usize, "record is", "records are"))
        }
        (_, changed) => {
            let parts = [(summary.lost, "lost"), (summary.gained, "gained"), (summary.altered, "altered")];
            let parts: Vec<String> =
                parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
            let differ = if than.is_empty() { "change" } else { "differ" };
            format!("{changed} of {decided} decided records {differ}{than}: {}", parts.join(", "))
        }
    }
}

fn flow(it: &ReplayChange) -> String {
    let direction = it.direction.as_ref().map_or(String::new(), |direction| format!(" {direction}"));
    let request = it.request.as_ref().map_or(String::new(), |request| format!(" {request}"));
    format!("{} -> {} {}{request}{direction}", it.source, it.destination, it.port)
}

fn paragraph(it: &ReplayChange, colours: bool) -> String {
    let kind = match (colours, it.change.as_str()) {
        (true, "lost") => "\x1b[1;31mlost\x1b[0m".to_owned(),
        (true, "gained") => "\x1b[1;33mgained\x1b[0m".to_owned(),
        (_, kind) => kind.to_owned(),
    };
    let when = match (&it.first, &it.last) {
        (Some(first), Some(last)) if first == last => format!(", at {first}"),
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    let records = count(it.records as usize, "record", "records");
    format!("{kind}  {}   {records}{when}\n{}{}", flow(it), step("was", &it.old), step("now", &it.new))
}

fn step(word: &str, step: &ReplayStep) -> String {
    let why = match (step.because.as_str(), step.verdict.as_str()) {
        ("recorded", _) => "as recorded",
        ("rule", _) => "by",
        (_, "deny") => "no rule allows it; isolated by",
        _ => "no policy isolates it",
    };
    let mut out = format!("  {word} {}: {why}\n", step.verdict);
    for cause in &step.by {
        out += &format!("    {cause}\n");
    }
    out
}

/// How much the answer rests on.
pub fn coverage(it: &Coverage) -> String {
    let span = match (&it.from, &it.to) {
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
        _ => String::new(),
    };
    let others: u64 = it.undecidable.iter().map(|it| it.records).sum();
    let records = count(it.records as usize, "record", "records");
    let mut out = format!("coverage: {records}{span}: {} decided, {others} not\n", it.decided);
    let width = it.undecidable.iter().map(|it| it.reason.len()).max().unwrap_or(0);
    for reason in &it.undecidable {
        let of = if reason.of.is_empty() { String::new() } else { format!("{}: ", reason.of.join(", ")) };
        out += &format!("  {:width$}  {:>8}  {of}{}\n", reason.reason, reason.records, reason.means);
    }
    if it.broken_lines > 0 {
        out += &format!("  {} could not be read\n", count(it.broken_lines as usize, "line", "lines"));
        for line in &it.broken {
            out += &format!("    {}:{}: {}\n", line.file, line.line, line.why);
        }
        let shown = it.broken.len() as u64;
        if it.broken_lines > shown {
            out += &format!("    and {} more\n", it.broken_lines - shown);
        }
    }
    if it.lost_events > 0 {
        out += &format!("  the recorder lost {}\n", count(it.lost_events as usize, "event", "events"));
    }
    for gap in it.gaps.iter().take(5) {
        out += &format!("  nothing was recorded from {} to {}\n", gap.from, gap.to);
    }
    if it.gaps.len() > 5 {
        out += &format!("  nor in {} more stretches\n", it.gaps.len() - 5);
    }
    out
}
