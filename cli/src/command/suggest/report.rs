//! What `suggest` reports.

use crate::cluster::ClusterEntry;
use crate::render::count;
use crate::report::{API_VERSION, Incomplete};
use replay::Tally;
use replay::record::Unasked;
use replay::suggest::{Kind, Left, Policy, Suggestion};
use schemars::JsonSchema;
use serde::Serialize;

/// Suggested policies, and how much of the input they allow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `SuggestReport`.
    pub kind: &'static str,
    /// The kind of the policies.
    pub policy_kind: String,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines among the files, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// By namespace and name.
    pub policies: Vec<SuggestedPolicy>,
    /// What they leave out.
    pub left: Vec<LeftOut>,
    /// Counts.
    pub summary: SuggestSummary,
}

/// One suggested policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestedPolicy {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How many records it stands for.
    pub records: u64,
    /// The manifest, comments included.
    pub manifest: String,
}

/// Records that the policies do not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Who opened the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// Protocol and port.
    pub port: String,
    /// How many.
    pub records: u64,
    /// Why.
    pub why: String,
}

/// Counts of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestSummary {
    /// Records that could be read.
    pub records: u64,
    /// Records that should be allowed.
    pub wanted: u64,
    /// Of those, how many the policies allow, as the engine decides.
    pub covered: u64,
    /// Records that were dropped, and are not asked for.
    pub dropped: u64,
    /// Answers within connections.
    pub replies: u64,
    /// Records that are of no flow, or say too little.
    pub others: u64,
}

impl SuggestReport {
    /// The report of a suggestion.
    pub fn of(suggestion: &Suggestion, tally: &Tally, kind: Kind) -> SuggestReport {
        let policy = |it: &Policy| SuggestedPolicy {
            namespace: it.namespace.clone(),
            name: it.name.clone(),
            records: it.records,
            manifest: it.text.clone(),
        };
        let left = |it: &Left| LeftOut {
            source: it.source.clone(),
            destination: it.destination.clone(),
            port: it.port.clone(),
            records: it.records,
            why: it.why.clone(),
        };
        let unasked = |reply: bool| {
            let all = tally.unasked.iter().filter(|(why, _)| (**why == Unasked::Reply) == reply);
            all.map(|(_, seen)| seen.records).sum()
        };
        SuggestReport {
            api_version: API_VERSION,
            kind: "SuggestReport",
            policy_kind: kind.name().to_owned(),
            cluster: None,
            incomplete: Vec::new(),
            policies: suggestion.policies.iter().map(policy).collect(),
            left: suggestion.left.iter().map(left).collect(),
            summary: SuggestSummary {
                records: tally.seen.records,
                wanted: suggestion.wanted,
                covered: suggestion.covered,
                dropped: suggestion.dropped,
                replies: unasked(true),
                others: unasked(false),
            },
        }
    }

    /// The manifests as one stream.
    pub fn manifests(&self) -> String {
        self.policies.iter().map(|it| it.manifest.as_str()).collect::<Vec<_>>().join("---\n")
    }

    /// One line a policy.
    pub fn concise(&self) -> String {
        let line = |it: &SuggestedPolicy| {
            format!(
                "{} {}/{}: {}\n",
                self.policy_kind,
                it.namespace,
                it.name,
                count(it.records as usize, "flow", "flows")
            )
        };
        self.policies.iter().map(line).collect()
    }

    /// Each policy, and all that is left out, as a JSON object.
    pub fn jsonl(&self) -> String {
        let policies = self.policies.iter().map(|it| serde_json::json!({ "policy": it }));
        let left = self.left.iter().map(|it| serde_json::json!({ "left": it }));
        policies.chain(left).map(|value| format!("{value}\n")).collect()
    }

    /// A table of what is left out.
    pub fn csv(&self) -> String {
        let mut out = "source,destination,port,records,why\n".to_owned();
        for it in &self.left {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let records = it.records;
            out += &format!(
                "{},{},{},{records},{}\n",
                quoted(&it.source),
                quoted(&it.destination),
                it.port,
                quoted(&it.why)
            );
        }
        out
    }

    /// How much of the input is allowed, and what is not, for standard error.
    pub fn notes(&self) -> Vec<String> {
        let SuggestSummary { records, wanted, covered, dropped, replies, others } = self.summary;
        let many = |n: u64, one: &str, many: &str| count(n as usize, one, many);
        let mut notes: Vec<String> = Vec::new();
        notes.extend(self.cluster.iter().map(|it| ClusterEntry::line(Some(it)).trim_end().to_owned()));
        notes.extend(Incomplete::lines(&self.incomplete).lines().map(str::to_owned));
        match (records, wanted) {
            (0, _) => notes.push("error: no record was read, so nothing is suggested".into()),
            (_, 0) => notes.push("note: no record is of a flow that should be allowed, so nothing is suggested".into()),
            _ => notes.push(format!(
                "note: {} of {} allowed by {}",
                covered,
                many(wanted, "flow is", "flows are"),
                many(self.policies.len() as u64, "policy", "policies")
            )),
        }
        let left = [
            (replies, "answer within a connection is", "answers within connections are"),
            (
                others,
                "record that is of no flow or says too little is",
                "records that are of no flow or say too little are",
            ),
        ];
        for (n, one, more) in left.into_iter().filter(|it| it.0 > 0) {
            notes.push(format!("note: {} left out", many(n, one, more)));
        }
        if dropped > 0 {
            notes.push(format!(
                "note: {} dropped and not asked for; --include-dropped does",
                many(dropped, "flow was", "flows were")
            ));
        }
        for it in &self.left {
            let flows = many(it.records, "flow", "flows");
            notes.push(format!(
                "warning: not allowed: {} -> {} {} ({flows}): {}",
                it.source, it.destination, it.port, it.why
            ));
        }
        notes
    }
}
