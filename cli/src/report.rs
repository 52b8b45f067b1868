//! The JSON reports: plain types whose schemas are published under `docs/schemas`.

use crate::cluster::ClusterEntry;
use crate::command::trace::report::{TracePart, TraceWay};
use diag::{Diagnostic, Severity};
use driver::{Because, Choice, Database};
use facts::Enforcer;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

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

/// Policies of another engine, which are not evaluated and may change any verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Incomplete {
    /// For example `Calico`.
    pub engine: String,
    /// How many of its policies were read.
    pub policies: usize,
}

impl Incomplete {
    /// What follows for those who say what they expect.
    pub const UNCONFIRMED: &str = "what is expected cannot be confirmed beside policies that are not evaluated";

    /// Every engine whose policies stand in the files.
    pub fn of(db: &Database) -> Vec<Incomplete> {
        let engines = driver::foreign(db);
        engines.iter().map(|(engine, count)| Incomplete { engine: engine.to_string(), policies: *count }).collect()
    }

    /// A line for each: `incomplete: 3 Calico policies not evaluated`.
    pub fn lines(all: &[Incomplete]) -> String {
        let line = |it: &Incomplete| {
            let policies = if it.policies == 1 { "policy" } else { "policies" };
            format!("incomplete: {} {} {policies} not evaluated\n", it.policies, it.engine)
        };
        all.iter().map(line).collect()
    }
}

/// Clauses and kinds that nodes of this build cannot enforce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotOnNode {
    /// Clauses that need a proxy.
    pub proxy: usize,
    /// Clauses that need mutual authentication.
    pub authentication: usize,
    /// Other clauses, and objects of kinds, that are not enforced yet.
    pub not_enforced: usize,
}

impl NotOnNode {
    /// Counts findings of [`checks::for_node`] and of [`checks::check`].
    pub fn of(findings: &[Diagnostic]) -> NotOnNode {
        let count_of = |wanted: &dyn Fn(&Diagnostic) -> bool| findings.iter().filter(|it| wanted(it)).count();
        let count = |slugs: &[&str]| count_of(&|it| slugs.contains(&it.slug));
        NotOnNode {
            proxy: count(&["needs-proxy"]),
            authentication: count(&["needs-authentication"]),
            // Why: a hint is about what no node of any build needs to do.
            not_enforced: count_of(&|it| NOT_ENFORCED.contains(&it.slug) && it.severity != Severity::Hint),
        }
    }

    /// One line for all: `12 clauses need a proxy, 2 need authentication: nodes of this build drop that traffic (…)`; nothing for none.
    pub fn line(self) -> Option<String> {
        let mut noun = true;
        let mut part = |n: usize, one: &str, many: &str| {
            let clauses = match (std::mem::take(&mut noun), n) {
                (false, _) => "",
                (true, 1) => " clause",
                (true, _) => " clauses",
            };
            format!("{n}{clauses} {}", if n == 1 { one } else { many })
        };
        let mut parts = Vec::new();
        if self.proxy > 0 {
            parts.push(part(self.proxy, "needs a proxy", "need a proxy"));
        }
        if self.authentication > 0 {
            parts.push(part(self.authentication, "needs authentication", "need authentication"));
        }
        if self.not_enforced > 0 {
            parts.push(part(self.not_enforced, "is not enforced yet", "are not enforced yet"));
        }
        (!parts.is_empty()).then(|| {
            let what = if self.proxy + self.authentication > 0 { "drop that traffic" } else { "do not carry it out" };
            format!("{}: nodes of this build {what} (`check --target node` lists them)", parts.join(", "))
        })
    }
}

/// Slugs of findings that say that something is right and not enforced yet.
pub const NOT_ENFORCED: [&str; 2] = ["not-enforced-yet", "kind-not-enforced-yet"];

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
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Who opens the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// Protocol and port, for example `tcp/8080`; `any` for every one.
    pub port: String,
    /// `allow`, `depends` (on the request, which a proxy judges), `deny` or `unknown`, both ends together; `mixed` where parts differ.
    pub verdict: String,
    /// Whether the cluster only records what policies deny (`policy-audit-mode`), and lets it pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub audit: bool,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
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
    /// By which way packets leave the cluster, where a policy of egress gateways says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<TraceWay>,
    /// The answers to a range of ports or of the backends of a service, where there are several; then the ends above say only what all
    /// of them say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TracePart>,
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
    /// `allow`, `depends`, `deny` or `unknown`; `mixed` where parts differ.
    pub verdict: String,
    /// Why nothing is enforced there, when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmanaged: Option<String>,
    /// Pairs of clauses about the subject that contradict each other: its policy cannot be computed, and it is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy_errors: Vec<[TraceCause; 2]>,
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
    /// For a redirect, what the proxy asks of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxied: Option<TraceProxied>,
    /// Where a rule allows it by name: the names and patterns that stand for the other end now, and no longer than DNS answers last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// What a proxy does with a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceProxied {
    /// Which proxy, for example `http`.
    pub proxy: String,
    /// Everything that admits requests; one that matches is enough.
    pub asks: Vec<TraceAsks>,
    /// What no longer works on this port, in words.
    pub stopped: Vec<String>,
    /// What becomes of the request, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<TraceAnswer>,
}

/// Something that admits requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceAsks {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// What a request must be; absent when every request is admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceAnswer {
    /// The request, for example `http GET /api`.
    pub request: String,
    /// Whether the proxy lets it pass.
    pub admitted: bool,
    /// How the refusal looks to the client, for example `HTTP 403`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Whether the proxy cannot read it, so that no allow is asked; absent when it can.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// What admits it, or all that was tried; of what cannot be read, the rules that make the proxy read.
    pub by: Vec<TraceCause>,
    /// What would have to be known; what depends on it is taken to admit nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A place in an object that caused a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// `NetworkPolicy shop/db spec.ingress[0]   policies.yaml:49:11`; what is not known is left out.
impl fmt::Display for TraceCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        self.place.as_ref().map_or(Ok(()), |place| write!(f, "   {place}"))
    }
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
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
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
    /// Questions that were not asked, because their verdict hangs on what was not read; `trace` says on what.
    pub unknown: usize,
    /// Questions that the other dialect answers otherwise.
    pub differing_under: usize,
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
    /// The dialect that answers otherwise, and because of what; for example `cilium (D2)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs_under: Option<String>,
    /// Where it should be denied, for example `ingress of shop/db`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_at: Option<String>,
    /// The rules that deny it, or what isolates the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<TraceCause>,
}
