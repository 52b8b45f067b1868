//! The conformance tables of this repository, asked of every engine.

use runner::conformance::{Options, Report, run, scenario};
use runner::engine::{Kind, Unavailable};
use std::io::Write;
use std::path::Path;

/// What is asked at least, so that a folder that was not read, or fields that went out of reach, cannot pass for success.
const SCENARIOS: usize = 60;
const CASES: usize = 25_000;

#[test]
fn every_engine_answers_every_case_as_the_tables_say_and_as_the_oracle_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/policy");
    let scenarios = scenario::read_folder(&folder).expect("the tables are part of the repository");
    let outcomes = run(&scenarios, &Options { engines: Kind::ALL.to_vec(), compare: Some(6) });
    let mut wrong = Vec::new();
    for (kind, outcome) in outcomes {
        match outcome {
            Ok(report) => {
                report.lines(kind, 20).iter().for_each(|line| say(line));
                wrong.extend(judge(kind, &report));
            }
            Err(Unavailable::NotPermitted) => say(&format!("{kind}: skipped: bpf(2) is not permitted; 0 cases asked")),
            Err(Unavailable::Broken(why)) => wrong.push(format!("{kind}: {why}")),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_verdict_that_the_table_has_otherwise_is_wrong_in_every_engine() {
    let text = include_str!("small.json");
    let wrong = |text: &str| -> Vec<usize> {
        let scenario = scenario::parse(text).expect("the test's own scenario is well-formed");
        let outcomes = run(&[scenario], &Options { engines: Kind::ALL.to_vec(), compare: None });
        outcomes.into_values().flatten().map(|report| report.wrong.len()).collect()
    };
    assert!(wrong(text).iter().all(|count| *count == 0));
    for (right, other) in [
        (r#""TCP", 80, "allow", "allow""#, r#""TCP", 80, "allow", "drop""#),
        (r#""TCP", 81, "allow", "drop""#, r#""TCP", 81, "allow", "allow""#),
        (r#""TCP", 81, "allow", "drop""#, r#""TCP", 81, "-", "drop""#),
        (r#""pod:shop/db": "I""#, r#""pod:shop/db": """#),
        (r#""accepted": true"#, r#""accepted": false"#),
    ] {
        assert!(text.contains(right), "{right}");
        let wrong = wrong(&text.replace(right, other));
        assert!(wrong.len() >= 3 && wrong.iter().all(|count| *count > 0), "{other}: {wrong:?}");
    }
}

#[test]
fn a_scenario_is_out_of_reach_for_the_fields_that_are_not_taken_yet_and_counts_for_nothing() {
    let text = include_str!("small.json");
    let (before, rest) = text.split_once("\"manifests\": [\"").expect("the test's own scenario has manifests");
    let (_, after) = rest.split_once("\"]").expect("the list ends");
    let spec = "  endpointSelector: {}\\n  egress: [{toGroups: [{aws: {region: x}}]}]\\n";
    let head =
        "apiVersion: cilium.io/v2\\nkind: CiliumNetworkPolicy\\nmetadata: {name: db, namespace: shop}\\nspec:\\n";
    let text = format!("{before}\"manifests\": [\"{head}{spec}\"]{after}");
    let scenario = scenario::parse(&text).expect("the test's own scenario is well-formed");
    let outcomes = run(&[scenario], &Options { engines: vec![Kind::Oracle], compare: None });
    let report = outcomes[&Kind::Oracle].as_ref().expect("the oracle is always there");
    assert_eq!((report.scenarios, report.cases, report.wrong.len()), (0, 0, 0));
    assert_eq!(report.out_of_reach.keys().collect::<Vec<_>>(), ["small"]);
}

fn judge(kind: Kind, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    if !report.wrong.is_empty() {
        wrong.push(format!("{kind}: {} wrong, the first: {}", report.wrong.len(), report.wrong[0]));
    }
    if report.scenarios < SCENARIOS || report.cases < CASES {
        wrong.push(format!("{kind}: only {} scenarios and {} cases", report.scenarios, report.cases));
    }
    wrong
}

/// Past the harness, which hides what a passing test prints.
fn say(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
