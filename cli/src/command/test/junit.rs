//! Results as JUnit XML.

use super::report::{CaseResult, TestReport};
use super::text::{failures, headline};
use crate::junit::{self, Case, Failure, Suite};

/// One suite for each test and reading.
///
/// Errors: as the writer of XML says.
pub(super) fn junit(report: &TestReport) -> Result<String, String> {
    let suites = report.suites.iter().map(|suite| {
        let name = if suite.name.is_empty() { String::new() } else { format!(" {}", suite.name) };
        Suite {
            name: format!("{}{name} ({})", suite.file, suite.dialect.name),
            file: suite.file.clone(),
            cases: suite.cases.iter().map(case).collect(),
        }
    });
    junit::render("tidegate test", &suites.collect::<Vec<_>>())
}

fn case(it: &CaseResult) -> Case {
    let failure = it.failures.first().map(|first| Failure {
        kind: "failure".into(),
        message: headline(first),
        text: format!("{}\n{}", it.place, failures(it)),
    });
    Case { name: it.name.clone(), failure }
}
