//! The Code Quality report of GitLab: a list of issues with fingerprints.

use super::{Finding, Review, told};
use serde_json::{Value, json};

pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    let issues: Vec<Value> = review.findings.iter().map(|it| issue(review, it)).collect();
    crate::command::json(&issues)
}

fn issue(review: &Review<'_>, it: &Finding) -> Value {
    let severity = match it.level.as_str() {
        "error" => "major",
        "warning" => "minor",
        _ => "info",
    };
    // An issue without a place is not shown, so what stands in no file is said of the folder.
    let (path, line) = it.place.as_ref().map_or((".".to_owned(), 1), |it| (review.root.path(&it.file), it.line));
    let lines = json!({"begin": line, "end": it.end.map_or(line, |end| end.line)});
    json!({
        "description": format!("{} {}: {}", it.code, it.slug, it.message),
        "check_name": it.code,
        "content": {"body": told(it)},
        "fingerprint": it.fingerprint,
        "severity": severity,
        "categories": ["Security"],
        "location": {"path": path, "lines": lines},
    })
}
