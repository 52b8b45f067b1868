//! Pages as JSON: `docs/schemas/ExplainReport.json`.

use crate::report::API_VERSION;
use checks::Page;
use schemars::JsonSchema;
use serde::Serialize;

/// Pages of codes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `ExplainReport`.
    pub kind: &'static str,
    /// The code that was asked for, or all, ascending.
    pub rules: Vec<Rule>,
}

/// One code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// For example `TG0152`.
    pub code: String,
    /// For example `host-bits-set`.
    pub slug: String,
    /// `error`, `warning` or `hint`; a finding may be milder.
    pub level: String,
    /// What kind of trouble it is about.
    pub group: String,
    /// The first version that knew it.
    pub since: String,
    /// What it finds. Markdown, as all that follows.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// Text that raises it.
    pub failing: String,
    /// Text that is right.
    pub fixed: String,
    /// What it cannot see.
    pub limits: String,
    /// Where it is written that it is so.
    pub sources: String,
}

impl ExplainReport {
    /// A report of these.
    pub fn of(rules: Vec<Rule>) -> ExplainReport {
        ExplainReport { api_version: API_VERSION, kind: "ExplainReport", rules }
    }
}

impl Rule {
    /// What a page says.
    pub fn of(page: &Page) -> Rule {
        let section = |name| page.section(name).to_owned();
        Rule {
            code: page.code.to_string(),
            slug: page.slug.to_owned(),
            level: page.level.to_string(),
            group: page.group.name().to_owned(),
            since: page.since.to_owned(),
            what: section("What"),
            why: section("Why"),
            failing: section("Failing"),
            fixed: section("Fixed"),
            limits: section("What it cannot see"),
            sources: section("Sources"),
        }
    }
}
