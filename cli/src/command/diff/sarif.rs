//! A comparison as SARIF 2.1.0: a result for each change, at the rule that decides now.

use super::report::{ChangeEntry, Decision, DiffReport};
use super::text::{note, says, who, word};
use crate::format::Root;
use crate::git;
use crate::report::Place;
use crate::sarif::{FINGERPRINT, Run, physical};
use serde_json::{Value, json};

/// Every kind of result: its id, its level, what it is.
const RULES: [(&str, &str, &str); 8] = [
    ("flow-gained-from-world", "error", "A flow between the cluster and addresses outside begins to pass."),
    ("flow-gained", "warning", "A flow begins to pass."),
    ("flow-lost", "warning", "A flow no longer passes."),
    ("flow-altered", "note", "A flow passes before and after, but not alike, or changes at one end only."),
    ("flow-unknown", "warning", "Whether a flow changes hangs on facts that were not read."),
    (
        "flow-widened-with-world",
        "error",
        "A flow between the cluster and addresses outside passes with more requests than before.",
    ),
    ("flow-widened", "warning", "A flow passes with more requests than before."),
    ("flow-tightened", "warning", "A flow passes with fewer requests than before, or needs authentication."),
];

/// The report as SARIF, of a run that ends with `exit`. Errors: as [`crate::command::json`].
pub fn render(report: &DiffReport, root: &Root, exit: u8) -> Result<String, String> {
    let rule = |(id, level, what): &(&str, &str, &str)| {
        json!({
            "id": id,
            "shortDescription": {"text": what},
            "fullDescription": {"text": what},
            "help": {"text": what},
            "defaultConfiguration": {"level": level},
        })
    };
    let properties = json!({"old": report.old, "new": report.new, "summary": report.summary});
    let results = report.changes.iter().map(|it| result(it, report, root)).collect();
    Run { tool: "tidegate diff", rules: RULES.iter().map(rule).collect(), results, exit, properties }.render()
}

/// Which of [`RULES`] a change is.
fn rule(it: &ChangeEntry) -> usize {
    match it.change.as_str() {
        _ if !it.missing.is_empty() => 4,
        _ if !it.end_to_end => 3,
        "gained" if it.world => 0,
        "gained" => 1,
        "lost" => 2,
        "widened" if it.world => 5,
        "widened" => 6,
        "tightened" => 7,
        _ => 3,
    }
}

fn result(it: &ChangeEntry, report: &DiffReport, root: &Root) -> Value {
    let at = rule(it);
    let (id, level, _) = RULES[at];
    let decides = |when: &str, decision: &Decision| {
        let by: Vec<String> = decision.by.iter().map(ToString::to_string).collect();
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
        "partialFingerprints": {FINGERPRINT: fingerprint},
    });
    // Why the new side alone: places of the old one are of files as they were.
    let places = |decision: &Decision, side: &str| -> Vec<Value> {
        let places = decision.by.iter().filter_map(|it| it.place.as_ref());
        places.map(|place| json!({"physicalLocation": physical(root, &plain(place, side), None)})).collect()
    };
    let mut locations = places(&it.new, &report.new.name);
    if locations.is_empty() {
        locations = places(&it.old, &report.old.name);
    }
    if !locations.is_empty() {
        let related = locations.split_off(1);
        out["locations"] = json!(locations);
        if !related.is_empty() {
            out["relatedLocations"] = json!(related);
        }
    }
    out
}

/// A place as the repository knows it: that of a revision without the revision.
fn plain(place: &Place, side: &str) -> Place {
    let revision = git::parts(side).map(|(revision, _)| revision);
    let path = revision.and_then(|revision| place.file.strip_prefix(revision)?.strip_prefix(':'));
    Place { file: path.unwrap_or(&place.file).to_owned(), ..place.clone() }
}
