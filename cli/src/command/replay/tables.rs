//! Changes one line each, for programs.

use super::report::{ReplayChange, ReplayReport, ReplayStep};

/// Each change as a JSON object, and the coverage in the last.
pub fn jsonl(report: &ReplayReport) -> String {
    let mut out = String::new();
    let mut line = |value: serde_json::Value| {
        out += &value.to_string();
        out.push('\n');
    };
    for change in &report.changes {
        line(serde_json::json!({ "change": change }));
    }
    line(serde_json::json!({ "coverage": report.coverage, "summary": report.summary, "dialect": report.dialect }));
    out
}

/// The columns of the table.
const COLUMNS: [&str; 12] =
    ["change", "source", "destination", "port", "request", "direction", "records", "first", "last", "old", "new", "by"];

/// A table of the changes.
pub fn csv(report: &ReplayReport) -> String {
    let mut out = COLUMNS.join(",") + "\n";
    for change in &report.changes {
        out += &fields(change).map(|field| quoted(&field)).join(",");
        out.push('\n');
    }
    out
}

fn fields(it: &ReplayChange) -> [String; COLUMNS.len()] {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        it.change.clone(),
        it.source.clone(),
        it.destination.clone(),
        it.port.clone(),
        or_empty(&it.request),
        or_empty(&it.direction),
        it.records.to_string(),
        or_empty(&it.first),
        or_empty(&it.last),
        it.old.verdict.clone(),
        it.new.verdict.clone(),
        format!("{} => {}", by(&it.old), by(&it.new)),
    ]
}

fn by(step: &ReplayStep) -> String {
    let cause = |it: &crate::report::TraceCause| match &it.place {
        Some(place) => format!("{} {} {place}", it.object, it.path),
        None => it.object.clone(),
    };
    if step.by.is_empty() { step.because.clone() } else { step.by.iter().map(cause).collect::<Vec<_>>().join("; ") }
}

/// A field as RFC 4180 writes it. What a spreadsheet would take for a formula is kept text by a quote of its own.
pub fn quoted(field: &str) -> String {
    let field = match field.starts_with(['=', '+', '-', '@']) {
        true => format!("'{field}"),
        false => field.to_owned(),
    };
    match field.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}
