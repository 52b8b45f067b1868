//! The snapshot file as a type, for its published schema and for tests: `snapshot::write` writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a cluster is, as far as it decides anything.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotFile {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: String,
    /// Always `Snapshot`.
    pub kind: String,
    /// When the cluster was read, in RFC 3339; empty when nobody told.
    pub taken: String,
    /// Where it was read from, in words.
    pub source: String,
    /// The version of tidegate that wrote it.
    pub tidegate: String,
    /// Whether names are hashes.
    pub redacted: bool,
    /// How many objects of each kind stand in `items`.
    pub counts: BTreeMap<String, usize>,
    /// Kinds that could not be read, so that what is of them may exist.
    pub not_read: Vec<NotRead>,
    /// Objects of Kubernetes, Cilium and tidegate with the fields that decide something, sorted by kind and name, policies last.
    pub items: Vec<Item>,
}

/// A kind of objects that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotRead {
    /// The resource with its group, for example `pods` or `ciliumnodes.cilium.io`.
    pub resource: String,
    /// Why, in words.
    pub because: String,
}

/// One object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Group and version of its kind.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name, namespace and labels.
    pub metadata: BTreeMap<String, serde_json::Value>,
    /// Every other field, as its kind has it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}
