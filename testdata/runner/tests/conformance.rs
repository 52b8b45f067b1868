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
    let outcomes = run(&scenarios, &Options { engines: Kind::ALL.to_vec(), compare: true });
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
