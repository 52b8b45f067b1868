//! Results as JUnit XML.

use super::report::TestReport;
use super::text::{failures, headline};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// One suite for each test and reading.
///
/// Errors: as the writer of XML says.
pub(super) fn junit(report: &TestReport) -> Result<String, String> {
    let mut out = Report::new("tidegate test");
    for suite in &report.suites {
        let name = if suite.name.is_empty() { String::new() } else { format!(" {}", suite.name) };
        let mut cases = TestSuite::new(format!("{}{name} ({})", suite.file, suite.dialect.name));
        for case in &suite.cases {
            let status = match case.failures.first() {
                None => TestCaseStatus::success(),
                Some(first) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(headline(first)).set_description(failures(case));
                    status
                }
            };
            let mut result = TestCase::new(case.name.clone(), status);
            result.set_classname(suite.file.clone());
            result.extra.insert("file".into(), case.place.file.clone().into());
            result.extra.insert("line".into(), case.place.line.to_string().into());
            cases.add_test_case(result);
        }
        out.add_test_suite(cases);
    }
    out.to_string().map_err(|error| format!("cannot write JUnit: {error}"))
}
