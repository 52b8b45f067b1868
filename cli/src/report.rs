//! The JSON reports: plain types whose schemas are published under `docs/schemas`.

use driver::{Because, Choice};
use facts::Enforcer;
use schemars::JsonSchema;
use serde::Serialize;

/// The `apiVersion` of every report.
pub const API_VERSION: &str = "tidegate.io/v1alpha1";

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The path as read; `-` for standard input.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The reading of the language behind a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DialectEntry {
    /// For example `standard` or `cilium-1.20`.
    pub name: String,
    /// `auto` or `asked`.
    pub chosen: String,
    /// Why this one.
    pub because: String,
}

impl DialectEntry {
    /// The reading as settled.
    pub fn of(choice: &Choice) -> DialectEntry {
        let (chosen, because) = match &choice.because {
            Because::Asked => ("asked", "its name was given".to_owned()),
            Because::NobodyEnforces => ("auto", "no Cilium among the facts".to_owned()),
            Because::Enforces(enforcer) => ("auto", format!("{} enforces", enforcer_name(enforcer))),
        };
        DialectEntry { name: choice.dialect.name.to_owned(), chosen: chosen.to_owned(), because }
    }
}

impl std::fmt::Display for DialectEntry {
    /// `dialect standard (auto: no Cilium among the facts)`, or `dialect cilium-1.20 (asked)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.chosen.as_str() {
            "asked" => write!(f, "dialect {} (asked)", self.name),
            chosen => write!(f, "dialect {} ({chosen}: {})", self.name, self.because),
        }
    }
}

/// An enforcer as people call it.
fn enforcer_name(enforcer: &Enforcer) -> &str {
    match enforcer {
        Enforcer::Cilium => "Cilium",
        Enforcer::Calico => "Calico",
        Enforcer::Antrea => "Antrea",
        Enforcer::Other(name) => name,
    }
}

/// What `check` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `CheckReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// In the order of files and lines.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub summary: Summary,
}

/// One finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// For example `TG0012`.
    pub code: String,
    /// For example `selector-matches-nothing`.
    pub slug: String,
    /// `error`, `warning` or `hint`.
    pub level: String,
    /// The headline.
    pub message: String,
    /// Where; absent for what stands in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Other places that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Another place of a finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there.
    pub message: String,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files read.
    pub files: usize,
    /// Policies that take part.
    pub policies: usize,
    /// Policies that are refused.
    pub rejected: usize,
    /// Cluster objects.
    pub facts: usize,
    /// Objects of kinds that say nothing about policy.
    pub skipped: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level hint.
    pub hints: usize,
}

/// What `trace` answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `TraceReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// Who opens the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// Protocol and port, for example `tcp/8080`.
    pub port: String,
    /// `allow`, `deny` or `unknown`, both ends together.
    pub verdict: String,
    /// Facts that were not read and that the answer hangs on; absent when it is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingFact>,
    /// Readings of the language under which the answer is another, or other policies are accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<DiffersUnder>,
    /// Egress at the source.
    pub egress: TraceSide,
    /// Ingress at the destination.
    pub ingress: TraceSide,
}

/// A fact that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingFact {
    /// Its kind, for example `namespace-labels`; `docs/unknown.md` lists all.
    pub fact: String,
    /// Of what: a name, an address, a place in an object.
    pub of: String,
    /// What supplies it.
    pub supplied_by: String,
}

/// A reading of the language that answers otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffersUnder {
    /// The reading.
    pub under: String,
    /// What it answers, both ends together.
    pub verdict: String,
    /// What it says of egress at the source.
    pub egress: String,
    /// What it says of ingress at the destination.
    pub ingress: String,
    /// Ids of the rows of the page on dialects that alone, or together, make the difference.
    pub because: Vec<String>,
    /// Policies about these ends that only this reading refuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Policies about these ends that only this reading accepts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

impl std::fmt::Display for DiffersUnder {
    /// `cilium (D2)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.because.as_slice() {
            [] => f.write_str(&self.under),
            because => write!(f, "{} ({})", self.under, because.join(", ")),
        }
    }
}

/// One end of a traced flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceSide {
    /// Whose policy is asked.
    pub subject: String,
    /// `allow`, `deny` or `unknown`.
    pub verdict: String,
    /// Why nothing is enforced there, when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmanaged: Option<String>,
    /// Facts that were not read and that the verdict of this end hangs on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingFact>,
    /// One for each peer that the other end can be.
    pub rows: Vec<TraceRow>,
}

/// The verdict for one peer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceRow {
    /// What the other end is to this one.
    pub peer: String,
    /// `allow`, `deny`, `redirect` or `unknown`.
    pub verdict: String,
    /// `rule`, `default-deny` or `default-allow`.
    pub because: String,
    /// What made it so.
    pub by: Vec<TraceCause>,
    /// For a default deny, the allow that comes nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<TraceNearest>,
}

/// A place in an object that caused a verdict.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceCause {
    /// Kind, namespace and name.
    pub object: String,
    /// The path in it.
    pub path: String,
    /// Where it stands; absent for what stands in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// An allow that almost matches.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceNearest {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// Why it does not match.
    pub misses: String,
}

/// What `lab run` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `LabReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// Whether real packets met programs in the kernel; else the programs ran in user space.
    pub on_kernel: bool,
    /// Why they did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_on_kernel_because: Option<String>,
    /// The seed by which pairs were sampled; absent when every pair was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Counts.
    pub summary: LabSummary,
    /// Every question, in order of asking.
    pub answers: Vec<LabAnswer>,
}

/// Counts of a lab run.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabSummary {
    /// Questions asked.
    pub questions: usize,
    /// Answers that came back.
    pub reached: usize,
    /// All others.
    pub blocked: usize,
    /// Where observation and expectation differ.
    pub differing: usize,
}

/// One question of a lab with its answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabAnswer {
    /// Who asked.
    pub from: String,
    /// Who was asked.
    pub to: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// For example `tcp/8080` or `icmp/echo`.
    pub port: String,
    /// `reached` or `blocked`, by the oracle.
    pub expected: String,
    /// `reached`, `blocked`, `refused`, `unreachable` or `unanswered`, by packets.
    pub observed: String,
    /// Whether both agree.
    pub agrees: bool,
    /// Where it should be denied, for example `ingress of shop/db`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_at: Option<String>,
    /// The rules that deny it, or what isolates the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<TraceCause>,
}
