//! A table for comments on a change: gravest first, as many as a reader bears.

use super::{Finding, Review, page_address};
use crate::render::count;

/// How many findings are listed.
const LISTED: usize = 25;

pub(super) fn render(review: &Review<'_>) -> String {
    let summary = review.summary;
    let mut out = String::from("<!-- tidegate check -->\n");
    let mut parts = vec![
        count(summary.errors, "error", "errors"),
        count(summary.warnings, "warning", "warnings"),
        count(summary.hints, "hint", "hints"),
    ];
    parts.retain(|part| !part.starts_with("0 "));
    let found = if parts.is_empty() { "nothing to report".to_owned() } else { parts.join(", ") };
    out += &format!("**tidegate check**: {found} in {}; {}\n", count(summary.files, "file", "files"), review.dialect);
    if review.findings.is_empty() {
        return out;
    }
    out += "\n| place | level | what |\n| --- | --- | --- |\n";
    let rank = |it: &&Finding| match it.level.as_str() {
        "error" => 0,
        "warning" => 1,
        _ => 2,
    };
    let mut all: Vec<&Finding> = review.findings.iter().collect();
    all.sort_by_key(rank);
    out.extend(all.iter().take(LISTED).map(|it| row(review, it)));
    if all.len() > LISTED {
        out += &format!("\nand {} more\n", all.len() - LISTED);
    }
    out
}

fn row(review: &Review<'_>, it: &Finding) -> String {
    let place = it.place.as_ref().map_or(String::new(), |it| format!("{}:{}", review.root.path(&it.file), it.line));
    let origin = it.origin.as_ref().map_or(String::new(), |it| format!(" (from {it})"));
    let code = format!("[{}]({})", it.code, page_address(&it.code));
    format!("| {}{} | {} | {code} {} |\n", cell(&place), cell(&origin), it.level, cell(&it.message))
}

/// Text that ends no cell and begins no element.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}
