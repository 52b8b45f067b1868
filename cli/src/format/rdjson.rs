//! The diagnostic format of reviewdog: `rdjson`.

use super::{Finding, HOME, Review, page_address, told};
use crate::command::check::report::{FindingEdit, Spot};
use serde_json::{Value, json};

pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    let diagnostics: Vec<Value> = review.findings.iter().map(|it| diagnostic(review, it)).collect();
    crate::command::json(&json!({
        "source": {"name": "tidegate", "url": HOME},
        "diagnostics": diagnostics,
    }))
}

fn diagnostic(review: &Review<'_>, it: &Finding) -> Value {
    let severity = match it.level.as_str() {
        "error" => "ERROR",
        "warning" => "WARNING",
        _ => "INFO",
    };
    let mut out = json!({
        "message": told(it),
        "severity": severity,
        "code": {"value": it.code, "url": page_address(&it.code)},
    });
    if let Some(place) = &it.place {
        let start = Spot { line: place.line, column: place.column };
        let range = range(review, &place.file, start, it.end.unwrap_or(start));
        out["location"] = json!({"path": review.root.path(&place.file), "range": range});
        // A suggestion is about the file of the finding, and applied as it is: only those that are one edit and safe.
        let fixes = it.fixes.iter().filter(|fix| fix.safe && fix.edits.len() == 1 && fix.edits[0].file == place.file);
        let suggestions: Vec<Value> = fixes.map(|fix| suggestion(review, &fix.edits[0])).collect();
        if !suggestions.is_empty() {
            out["suggestions"] = json!(suggestions);
        }
    }
    out
}

fn suggestion(review: &Review<'_>, edit: &FindingEdit) -> Value {
    json!({"range": range(review, &edit.file, edit.start, edit.end), "text": edit.replacement})
}

fn range(review: &Review<'_>, file: &str, start: Spot, end: Spot) -> Value {
    let spot = |spot: Spot| json!({"line": spot.line, "column": column(review, file, spot)});
    json!({"start": spot(start), "end": spot(end)})
}

/// The column in bytes, as this format counts.
fn column(review: &Review<'_>, file: &str, spot: Spot) -> usize {
    let text = review.db.file_at(file).and_then(|it| it.text(review.db)).unwrap_or_default();
    let line = text.lines().nth(spot.line as usize - 1).unwrap_or_default();
    1 + line.chars().take(spot.column as usize - 1).map(char::len_utf8).sum::<usize>()
}
