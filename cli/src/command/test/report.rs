//! What `test` reports: plain types whose schema is published.

use crate::cluster::ClusterEntry;
use crate::report::{DialectEntry, Incomplete, Place, TraceCause, TraceSide};
use schemars::JsonSchema;
use serde::Serialize;

/// What `test` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `TestReport`.
    pub kind: &'static str,
    /// The cluster facts behind it; absent where `--cluster` gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// What could not be read or asked, so that cases may be missing; absent when everything was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Counts.
    pub summary: Summary,
    /// One for each test and reading, in the order of files.
    pub suites: Vec<SuiteResult>,
    /// What cases exercise; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageReport>,
    /// Which changes of policies cases notice; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutation: Option<MutationReport>,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Cases that were run, each reading counted.
    pub cases: usize,
    /// Those that hold.
    pub passed: usize,
    /// Those that do not.
    pub failed: usize,
    /// Flows that were asked.
    pub flows: usize,
}

impl Summary {
    /// Counts the cases of some suites.
    pub fn of(suites: &[SuiteResult]) -> Summary {
        let cases = || suites.iter().flat_map(|suite| &suite.cases);
        let (cases, passed, flows) =
            (cases().count(), cases().filter(|case| case.passed()).count(), cases().map(|case| case.flows).sum());
        Summary { cases, passed, failed: cases - passed, flows }
    }
}

/// One test under one reading.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuiteResult {
    /// The file.
    pub file: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// In the order of the text.
    pub cases: Vec<CaseResult>,
}

/// One case.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseResult {
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Flows that were asked for it.
    pub flows: usize,
    /// The flows that do not do what the case says; empty when it holds.
    pub failures: Vec<FlowFailure>,
}

impl CaseResult {
    /// Whether it holds.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// A flow that does not do what a case says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowFailure {
    /// Who opens the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// Protocol and port, for example `tcp/8080`.
    pub port: String,
    /// Who answers for the destination, and at which port, where it is a service or a name: for example `shop/db-0 tcp/5432`. Another may
    /// do what the case says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// What is asked over it; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// `allow`, `deny`, `unknown` or `redirect`.
    pub expected: String,
    /// How it ends.
    pub found: String,
    /// What should make it so and does not; absent when it ends otherwise than expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_by: Option<String>,
    /// Egress at the source.
    pub egress: TraceSide,
    /// Ingress at the destination.
    pub ingress: TraceSide,
}

/// What cases exercise.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageReport {
    /// Rules and defaults of all policies that were read.
    pub total: usize,
    /// Those that decide the flow of some case, at either end.
    pub exercised: usize,
    /// Exercised ones of a hundred, rounded down.
    pub percent: u32,
    /// Those that no case exercises, by object and path.
    pub missed: Vec<Missed>,
}

/// A rule or default that no case exercises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// `rule`, or `default` for what denies where no rule allows.
    pub what: String,
}

/// Which changes of policies cases notice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MutationReport {
    /// Changes that alter some verdict.
    pub total: usize,
    /// Those that some case notices.
    pub killed: usize,
    /// Changes that alter no verdict; they are not counted.
    pub equivalent: usize,
    /// Noticed ones of a hundred, rounded down.
    pub percent: u32,
    /// Every change, by object, path and words.
    pub mutants: Vec<MutantEntry>,
}

/// A change of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MutantEntry {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// What the change is.
    pub change: String,
    /// `killed`, `survived` or `equivalent`.
    pub fate: String,
    /// A case that notices it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub killed_by: Option<String>,
}
