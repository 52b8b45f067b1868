//! One object: `docs/schemas/CheckReport.json`.

use super::Review;
use crate::command::check::report::CheckReport;
use crate::report::API_VERSION;

pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    crate::command::json(&CheckReport {
        api_version: API_VERSION,
        kind: "CheckReport",
        dialect: review.dialect.clone(),
        cluster: review.cluster.clone(),
        incomplete: review.incomplete.clone(),
        findings: review.findings.clone(),
        summary: review.summary,
    })
}
