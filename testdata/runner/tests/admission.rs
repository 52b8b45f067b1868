//! The admission tables of this repository, compared line by line.

use runner::admission::{Line, Report, answer, parse, read};
use std::io::Write;
use std::path::Path;

/// What is compared at least, so that a table that was not read cannot pass for success.
const LINES: usize = 1_600;

#[test]
fn every_manifest_gets_the_answer_of_an_api_server() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/admission/tables.jsonl.gz");
    let mut report = Report::default();
    report.add(&read(&table).expect("the table is part of the repository"));
    report.lines(20).iter().for_each(|line| say(line));
    let lines: usize = report.counts.values().map(|counts| counts.lines).sum();
    assert!(lines >= LINES, "only {lines} lines");
    assert!(report.wrong.is_empty(), "{} wrong", report.wrong.len());
}

#[test]
fn an_answer_that_differs_in_anything_is_wrong() {
    let manifest =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, x: 1}, spec: {policyTypes: [Up]}}";
    let line = |verdict: &str, field: &str, unknown: &str| -> Line {
        let value = serde_json::json!({"id": "1", "kind": "NetworkPolicy", "manifest": manifest, "verdict": verdict,
            "causes": [{"field": field}, {"field": "<nil>"}, {"message": "m"}], "unknown": [unknown]});
        parse(&value.to_string()).expect("the line is well-formed")
    };
    let wrong = |line: Line| {
        let mut report = Report::default();
        report.add(&[line]);
        report.wrong.len()
    };
    assert_eq!(wrong(line("rejected", "spec.policyTypes[0]", "metadata.x")), 0);
    assert_eq!(wrong(line("accepted", "spec.policyTypes[0]", "metadata.x")), 1);
    assert_eq!(wrong(line("rejected", "spec.policyTypes", "metadata.x")), 1);
    assert_eq!(wrong(line("rejected", "spec.policyTypes[0]", "metadata.y")), 1);
}

#[test]
fn a_scalar_that_is_no_number_of_yaml_1_1_is_text_in_a_table() {
    let named = |name: &str| {
        let text = format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}}}}}");
        answer(&text).map(|it| it.accepted)
    };
    assert_eq!(
        (named("08"), named("1e3"), named("07"), named("8")),
        (Some(true), Some(true), Some(false), Some(false))
    );
}

#[test]
fn fields_that_stand_twice_are_dropped_and_named() {
    let text = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, name: b}, spec: {}}";
    let answer = answer(text).expect("the kind is compared");
    assert_eq!(
        (answer.accepted, answer.unknown.into_iter().collect::<Vec<_>>()),
        (true, vec!["metadata.name".to_owned()])
    );
}

/// Past the harness, which hides what a passing test prints.
fn say(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
