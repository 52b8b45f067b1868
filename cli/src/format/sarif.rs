//! Findings as SARIF 2.1.0.

use super::{Finding, Review, page_address, told};
use crate::command::check::report::{FindingEdit, FindingFix};
use crate::sarif::{FINGERPRINT, Run, artifact, physical};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    let mut rules: BTreeMap<&str, usize> = review.findings.iter().map(|it| (it.code.as_str(), 0)).collect();
    rules.values_mut().enumerate().for_each(|(at, index)| *index = at);
    let results: Vec<Value> = review.findings.iter().map(|it| result(review, it, rules[it.code.as_str()])).collect();
    let properties = json!({
        "dialect": review.dialect,
        "cluster": review.cluster,
        "incomplete": review.incomplete,
        "suppressed": review.summary.suppressed,
        "known": review.summary.known,
    });
    let rules = rules.keys().map(|code| rule(code)).collect();
    Run { tool: "tidegate", rules, results, exit: review.exit, properties }.render()
}

fn level(level: &str) -> &'static str {
    match level {
        "error" => "error",
        "warning" => "warning",
        _ => "note",
    }
}

fn rule(code: &str) -> Value {
    let Some(page) = checks::explain(code) else { return json!({"id": code}) };
    let what = page.section("What");
    json!({
        "id": code,
        "name": page.slug,
        "shortDescription": {"text": page.slug.replace('-', " ")},
        "fullDescription": {"text": what, "markdown": what},
        "help": {"text": page.text, "markdown": page.text},
        "helpUri": page_address(code),
        "defaultConfiguration": {"level": level(page.level.as_str())},
        "properties": {"tags": [page.group.name()], "since": page.since},
    })
}

fn result(review: &Review<'_>, it: &Finding, rule: usize) -> Value {
    let mut out = json!({
        "ruleId": it.code,
        "ruleIndex": rule,
        "level": level(&it.level),
        "message": {"text": told(it)},
        "partialFingerprints": {FINGERPRINT: it.fingerprint},
    });
    if let Some(place) = &it.place {
        let end = it.end.map_or((place.line, place.column), |end| (end.line, end.column));
        let mut location = json!({"physicalLocation": physical(&review.root, place, Some(end))});
        let mut logical: Vec<Value> = it.object.iter().map(|name| logical(name, "object")).collect();
        logical.extend(it.origin.iter().map(|origin| logical_of(&origin.to_string())));
        if !logical.is_empty() {
            location["logicalLocations"] = json!(logical);
        }
        out["locations"] = json!([location]);
    }
    let related = it.related.iter().enumerate().map(|(at, related)| {
        json!({
            "id": at + 1,
            "physicalLocation": physical(&review.root, &related.place, None),
            "message": {"text": if related.message.is_empty() { "see here" } else { &related.message }},
        })
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        out["relatedLocations"] = json!(related);
    }
    if let Some(origin) = &it.origin {
        out["properties"] = json!({"origin": origin});
    }
    let fixes: Vec<Value> =
        it.fixes.iter().filter(|fix| !fix.edits.is_empty()).map(|fix| change(review, fix)).collect();
    if !fixes.is_empty() {
        out["fixes"] = json!(fixes);
    }
    out
}

fn logical(name: &str, kind: &str) -> Value {
    json!({"fullyQualifiedName": name, "kind": kind})
}

/// What an object was rendered from: no file of this repository that a line could be shown of, so a logical place.
fn logical_of(origin: &str) -> Value {
    logical(origin, "resource")
}

fn change(review: &Review<'_>, fix: &FindingFix) -> Value {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        files.entry(&edit.file).or_default().push(replacement(edit));
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, edits)| json!({"artifactLocation": artifact(&review.root, file), "replacements": edits}))
        .collect();
    let safety = if fix.safe { "safe" } else { "unsafe" };
    json!({"description": {"text": format!("{} ({safety})", fix.title)}, "artifactChanges": changes})
}

fn replacement(edit: &FindingEdit) -> Value {
    let (start, end) = (edit.start, edit.end);
    json!({
        "deletedRegion": {
            "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
        },
        "insertedContent": {"text": edit.replacement},
    })
}
