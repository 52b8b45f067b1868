//! A comparison as SARIF 2.1.0: a result for each change, at the rule that decides now.

use super::report::{ChangeEntry, Decision, DiffReport};
use super::text::{cause, note, says, who, word};
use crate::report::Place;
use serde_json::{Value, json};

/// Where the project is at home.
const HOME: &str = "https://github.com/tidegate/tidegate";
/// The base of every path: the root of the repository.
const BASE: &str = "%SRCROOT%";

/// Every kind of result: its id, its level, what it is.
const RULES: [(&str, &str, &str); 5] = [
    ("flow-gained-from-world", "error", "A flow between the cluster and addresses outside begins to pass."),
    ("flow-gained", "warning", "A flow begins to pass."),
    ("flow-lost", "warning", "A flow no longer passes."),
    ("flow-altered", "note", "A flow passes before and after, but not alike, or changes at one end only."),
    ("flow-unknown", "warning", "Whether a flow changes hangs on facts that were not read."),
];

/// The report as SARIF.
pub fn render(report: &DiffReport) -> String {
    let rule = |(id, level, what): &(&str, &str, &str)| {
        json!({
            "id": id,
            "shortDescription": {"text": what},
            "fullDescription": {"text": what},
            "help": {"text": what},
            "defaultConfiguration": {"level": level},
        })
    };
    let driver = json!({
        "name": "tidegate diff",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": HOME,
        "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
    });
    let properties = json!({"old": report.old, "new": report.new, "summary": report.summary});
    super::super::json(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {BASE: {"description": {"text": "The root of the repository."}}},
            "results": report.changes.iter().map(result).collect::<Vec<_>>(),
            "properties": properties,
        }],
    }))
}

/// Which of [`RULES`] a change is.
fn rule(it: &ChangeEntry) -> usize {
    match it.change.as_str() {
        _ if !it.missing.is_empty() => 4,
        _ if !it.end_to_end => 3,
        "gained" if it.world => 0,
        "gained" => 1,
        "lost" => 2,
        _ => 3,
    }
}

fn result(it: &ChangeEntry) -> Value {
    let at = rule(it);
    let (id, level, _) = RULES[at];
    let decides = |when: &str, decision: &Decision| {
        let by: Vec<String> = decision.by.iter().map(cause).collect();
        format!("{when} {} {}", says(decision), by.join(", ")).trim_end().to_owned()
    };
    let note = note(it).map_or(String::new(), |it| format!(" {it}."));
    let text = format!(
        "{}: {} on {}. {}. {}.{note} For example {}.",
        word(it),
        who(it),
        it.ports,
        decides("Before", &it.old),
        decides("Now", &it.new),
        it.sample
    );
    let identity = format!("{id} {} {}", who(it), it.ports);
    let fingerprint: String = image::Digest::of(identity.as_bytes()).0.iter().map(|it| format!("{it:02x}")).collect();
    let mut out = json!({
        "ruleId": id,
        "ruleIndex": at,
        "level": level,
        "message": {"text": text},
        "partialFingerprints": {"tidegate/v1": fingerprint},
    });
    // Why the new side alone: places of the old one are of files as they were.
    let places: Vec<Value> = it.new.by.iter().filter_map(|it| it.place.as_ref()).map(location).collect();
    let old: Vec<Value> = it.old.by.iter().filter_map(|it| it.place.as_ref()).map(location).collect();
    let mut places = if places.is_empty() { old } else { places };
    if !places.is_empty() {
        let related = places.split_off(1);
        out["locations"] = json!(places);
        if !related.is_empty() {
            out["relatedLocations"] = json!(related);
        }
    }
    out
}

/// A place, by its path in the repository: that of a revision without the revision.
fn location(place: &Place) -> Value {
    let file = place.file.split_once(':').map_or(place.file.as_str(), |(_, path)| path);
    let mut uri = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            other => uri += &format!("%{other:02X}"),
        }
    }
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": BASE},
            "region": {"startLine": place.line, "startColumn": place.column},
        },
    })
}
