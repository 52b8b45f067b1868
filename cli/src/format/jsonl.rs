//! One object a line: each finding (`kind: Finding`), and last the summary (`kind: Summary`) with the dialect.

use super::Review;
use serde_json::{Value, json};

pub(super) fn render(review: &Review<'_>) -> String {
    let finding = |it| line("Finding", serde_json::to_value(it).unwrap_or_default());
    let mut out: String = review.findings.iter().map(finding).collect();
    let mut summary = serde_json::to_value(review.summary).unwrap_or_default();
    if let Value::Object(summary) = &mut summary {
        summary.insert("dialect".into(), json!(review.dialect));
        summary.insert("cluster".into(), json!(review.cluster));
        summary.insert("incomplete".into(), json!(review.incomplete));
    }
    out += &line("Summary", summary);
    out
}

fn line(kind: &str, value: Value) -> String {
    let mut object = serde_json::Map::from_iter([("kind".to_owned(), json!(kind))]);
    if let Value::Object(fields) = value {
        object.extend(fields);
    }
    Value::Object(object).to_string() + "\n"
}
