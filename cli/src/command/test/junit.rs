//! Results as JUnit XML.

use super::report::{CaseResult, TestReport};
use super::text::{failures, headline};
use crate::junit::{self, Case, Failure, Suite};

/// One suite for each test and reading, and one for what could not be read.
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
    let unread = report.unread.iter().enumerate().map(|(at, problem)| Case {
        name: format!("error {}", at + 1),
        failure: Some(Failure { kind: "error".into(), message: problem.clone(), text: problem.clone() }),
    });
    let unread = Suite { name: "what was read".into(), file: String::new(), cases: unread.collect() };
    let unread = (!report.unread.is_empty()).then_some(unread);
    junit::render("tidegate test", &suites.chain(unread).collect::<Vec<_>>())
}

fn case(it: &CaseResult) -> Case {
    let failure = it.failures.first().map(|first| Failure {
        kind: "failure".into(),
        message: headline(first),
        text: format!("{}\n{}", it.place, failures(it)),
    });
    Case { name: it.name.clone(), failure }
}
