//! Results as workflow commands, which mark the lines of failed cases.
//! Source: "Workflow commands for GitHub Actions".

use super::report::TestReport;
use super::text::{failures, headline};

/// One command a failed case, and one for each thing that could not be read.
pub(super) fn github(report: &TestReport) -> String {
    let failed = report.suites.iter().flat_map(|suite| &suite.cases).filter(|case| !case.passed());
    let line = |case: &super::report::CaseResult| {
        let place = &case.place;
        let says: Vec<String> = case.failures.iter().map(headline).collect();
        let (file, title) = (property(&place.file), property(&case.name));
        let message = data(&format!("{}\n{}", says.join("\n"), failures(case)));
        format!("::error file={file},line={},col={},title={title}::{message}\n", place.line, place.column)
    };
    let unread = report.unread.iter().map(|it| format!("::error::{}\n", data(it)));
    failed.map(line).chain(unread).collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
