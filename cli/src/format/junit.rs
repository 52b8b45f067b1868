//! JUnit XML: a suite for each file, a case for each finding, one passed case where there is none.

use super::{Finding, Review, told};
use crate::visible::visible;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;

/// The suite of what stands in no file.
const NOWHERE: &str = "tidegate";

/// Errors: as the writer of XML says.
pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    let mut suites: BTreeMap<&str, Vec<&Finding>> = review.files.iter().map(|file| (file.as_str(), vec![])).collect();
    for it in &review.findings {
        suites.entry(it.place.as_ref().map_or(NOWHERE, |place| &place.file)).or_default().push(it);
    }
    let mut report = Report::new("tidegate check");
    for (file, all) in suites {
        let name = if file == NOWHERE { file.to_owned() } else { review.root.path(file) };
        let name = visible(&name).into_owned();
        let mut suite = TestSuite::new(name.clone());
        if all.is_empty() {
            suite.add_test_case(TestCase::new("nothing to report", TestCaseStatus::success()));
        }
        suite.add_test_cases(all.into_iter().map(case));
        for case in &mut suite.test_cases {
            case.set_classname(name.clone());
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| format!("cannot write JUnit: {error}"))
}

fn case(it: &Finding) -> TestCase {
    let at = it.place.as_ref().map_or(String::new(), |place| format!(" at {}:{}", place.line, place.column));
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(it.level.clone()).set_message(visible(&it.message)).set_description(visible(&told(it)));
    TestCase::new(format!("{} {}{at}", it.code, it.slug), status)
}
