//! The file as a whole: what it says of itself, then one line an object.

use crate::items;
use facts::Cluster;
use facts::read::At;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syntax::Tree;

/// The `apiVersion` of a snapshot.
pub const API_VERSION: &str = "tidegate.io/v1alpha1";

/// The `kind` of a snapshot.
pub const KIND: &str = "Snapshot";

/// What a snapshot says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// When the cluster was read, in RFC 3339; empty when nobody told.
    pub taken: String,
    /// Where it was read from, in words.
    pub source: String,
    /// The version of tidegate that wrote it.
    pub tidegate: String,
    /// Whether names are hashes.
    pub redacted: bool,
    /// What could not be read and so may exist.
    pub not_read: Vec<NotRead>,
}

/// A kind of objects that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotRead {
    /// The resource with its group, for example `pods` or `ciliumnodes.cilium.io`.
    pub resource: String,
    /// Why, in words.
    pub because: String,
}

/// Writes a snapshot. `policies` are whole objects; they follow the facts in their own order.
///
/// Shape: one JSON document, in which every object has a line of its own, so that texts of two snapshots compare line by line.
pub fn write(header: &Header, cluster: &Cluster, policies: &[Value]) -> String {
    let mut objects = items::of(cluster);
    objects.extend(policies.iter().cloned());
    let not_read: Vec<Value> =
        header.not_read.iter().map(|it| json!({ "resource": it.resource, "because": it.because })).collect();
    let head = [
        ("apiVersion", json!(API_VERSION)),
        ("kind", json!(KIND)),
        ("taken", json!(header.taken)),
        ("source", json!(header.source)),
        ("tidegate", json!(header.tidegate)),
        ("redacted", json!(header.redacted)),
        ("counts", json!(count(&objects))),
        ("notRead", json!(not_read)),
    ];
    let mut out = String::from("{\n");
    for (name, value) in head {
        out.push_str(&format!("\"{name}\": {value},\n"));
    }
    out.push_str("\"items\": [\n");
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    out.push_str(&lines.join(",\n"));
    out.push_str(if lines.is_empty() { "]\n}\n" } else { "\n]\n}\n" });
    out
}

/// How many objects of each kind a cluster would be written as.
pub fn counts(cluster: &Cluster) -> BTreeMap<String, usize> {
    count(&items::of(cluster))
}

fn count(objects: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for kind in objects.iter().filter_map(|object| object["kind"].as_str()) {
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    counts
}

/// What a text says of itself when it is a snapshot: its first document decides.
pub fn header(tree: &Tree) -> Option<Header> {
    let root = At::root(tree, tree.documents().first()?.root?);
    if root.text_of("apiVersion") != Some(API_VERSION) || root.text_of("kind") != Some(KIND) {
        return None;
    }
    let not_read = root
        .list("notRead")
        .map(|it| NotRead { resource: it.text_or_empty("resource"), because: it.text_or_empty("because") });
    Some(Header {
        taken: root.text_or_empty("taken"),
        source: root.text_or_empty("source"),
        tidegate: root.text_or_empty("tidegate"),
        redacted: root.get("redacted").and_then(|it| it.flag()).unwrap_or(false),
        not_read: not_read.collect(),
    })
}
