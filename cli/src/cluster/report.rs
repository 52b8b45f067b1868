//! What a report says of the cluster facts behind it.

use super::age;
use crate::render::count;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use snapshot::{Header, NotRead};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The cluster facts behind a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterEntry {
    /// The file or folder that was given, `live`, or `none`.
    pub source: String,
    /// What the snapshot says of where it was read from; absent where nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_from: Option<String>,
    /// When it was read from the cluster, in RFC 3339; absent where nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// How long ago that was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// Whether that is longer than it may be.
    pub old: bool,
    /// Whether names are hashes.
    pub redacted: bool,
    /// How many objects of each kind; none for `none`.
    pub counts: BTreeMap<String, usize>,
    /// Kinds that could not be read: what is of them may exist, and is not taken for absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_read: Vec<NotReadEntry>,
}

/// A kind of objects that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotReadEntry {
    /// The resource with its group, for example `pods` or `ciliumnodes.cilium.io`.
    pub resource: String,
    /// Why, in words.
    pub because: String,
}

impl ClusterEntry {
    /// What a snapshot, or its absence, says; `max_age` is how old it may be.
    pub fn of(
        source: &str,
        header: Option<&Header>,
        counts: BTreeMap<String, usize>,
        now: Timestamp,
        max_age: Duration,
    ) -> ClusterEntry {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let taken = header.and_then(|it| said(&it.taken));
        let age = taken.as_deref().and_then(age::timestamp).map(|then| age::since(then, now));
        let entry = |it: &NotRead| NotReadEntry { resource: it.resource.clone(), because: it.because.clone() };
        ClusterEntry {
            source: source.to_owned(),
            read_from: header.and_then(|it| said(&it.source)),
            taken,
            age,
            old: age.is_some_and(|age| age > max_age.as_secs()),
            redacted: header.is_some_and(|it| it.redacted),
            counts,
            not_read: header.map(|it| it.not_read.iter().map(entry).collect()).unwrap_or_default(),
        }
    }

    /// What to say on standard error before anything else: that it is old, and what was not read.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if let (true, Some(age)) = (self.old, self.age) {
            let age = age::words(age);
            let source = &self.source;
            out.push(format!(
                "warning: cluster facts of `{source}` were read {age}; `tidegate snapshot` reads them again"
            ));
        }
        for NotReadEntry { resource, because } in &self.not_read {
            out.push(format!("warning: {resource} were not read ({because}): what hangs on them is unknown"));
        }
        out
    }

    /// A line for people; nothing where no cluster facts were asked for.
    pub fn line(entry: Option<&ClusterEntry>) -> String {
        entry.map(|it| format!("{it}\n")).unwrap_or_default()
    }
}

impl fmt::Display for ClusterEntry {
    /// `cluster snapshot.json, taken 2026-11-01T10:00:00Z (3 days ago): 2 namespaces, 12 pods, 5 other objects`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster {}", self.source)?;
        if self.source == "none" {
            return f.write_str(": only what manifests declare");
        }
        match (&self.taken, self.age) {
            (Some(taken), Some(age)) => write!(f, ", taken {taken} ({})", age::words(age))?,
            (Some(taken), None) => write!(f, ", taken {taken}, which is no time")?,
            (None, _) => f.write_str(", of unknown age")?,
        }
        let of = |kind: &str| self.counts.get(kind).copied().unwrap_or(0);
        let (namespaces, pods) = (of("Namespace"), of("Pod"));
        let others = self.counts.values().sum::<usize>() - namespaces - pods;
        let parts = [
            count(namespaces, "namespace", "namespaces"),
            count(pods, "pod", "pods"),
            count(others, "other object", "other objects"),
        ];
        write!(f, ": {}", parts.join(", "))?;
        if self.redacted {
            f.write_str("; names are redacted")?;
        }
        if !self.not_read.is_empty() {
            let names: Vec<&str> = self.not_read.iter().map(|it| it.resource.as_str()).collect();
            write!(f, "; not read: {}", names.join(", "))?;
        }
        Ok(())
    }
}
