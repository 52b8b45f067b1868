//! What `check` reports: `docs/schemas/CheckReport.json`.

use crate::cluster::ClusterEntry;
use crate::report::{DialectEntry, Incomplete, NotOnNode, Place};
use schemars::JsonSchema;
use serde::Serialize;

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
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
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
    /// Where what is marked ends: behind its last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Spot>,
    /// The object that it is in, for example `NetworkPolicy shop/db`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What the object was rendered from, where the renderer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The same for the same finding, wherever its lines are; another for every finding of a run.
    pub fingerprint: String,
    /// Other places that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Edits that solve it, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<FindingFix>,
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

/// A place in a file that is named elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spot {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// What an object was rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The template or base: a path in the chart, or in `repo` where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Its branch, tag or commit.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// For what a generator made: the file that configures it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_in: Option<String>,
}

impl From<findings::context::Origin> for Origin {
    fn from(it: findings::context::Origin) -> Origin {
        Origin { path: it.path, repo: it.repo, reference: it.reference, configured_in: it.configured_in }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Origin { path, repo, reference, configured_in } = self.clone();
        findings::context::Origin { path, repo, reference, configured_in }.fmt(f)
    }
}

/// A change that solves a finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingFix {
    /// What it does, as an order.
    pub title: String,
    /// Whether it is proved that it changes nothing that is enforced.
    pub safe: bool,
    /// Applied as a whole or not at all.
    pub edits: Vec<FindingEdit>,
}

/// One replacement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingEdit {
    /// The file.
    pub file: String,
    /// From here,
    pub start: Spot,
    /// to before here,
    pub end: Spot,
    /// stands this then.
    pub replacement: String,
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
    /// Findings that the texts suppress, not listed.
    pub suppressed: usize,
    /// Findings that a baseline or the base revision has too, not listed.
    pub known: usize,
    /// Listed findings that have a fix.
    pub fixable: usize,
    /// Those of them with a fix that is proved to change nothing.
    pub safely_fixable: usize,
    /// What nodes of this build cannot enforce; listed as findings with `--target node`.
    pub not_on_node: NotOnNode,
}
