//! What `graph` reports: plain types whose schema is published.

use super::Level;
use crate::cluster::ClusterEntry;
use crate::command::trace::cause;
use crate::report::{API_VERSION, DialectEntry, Incomplete, MissingFact, TraceCause};
use crate::session::Session;
use driver::Database;
use flow::L4Set;
use graph::{Edge, End, Graph, Kind, Vertex, words};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Who reaches whom.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GraphReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `GraphReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// What a vertex stands for: `pod`, `workload` or `namespace`.
    pub level: String,
    /// Namespaces in order, then nodes, then what is outside.
    pub vertices: Vec<VertexEntry>,
    /// By source, then destination.
    pub edges: Vec<EdgeEntry>,
    /// What a reader should know, above all where there is nothing to see.
    pub notes: Vec<String>,
}

/// What is treated as one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VertexEntry {
    /// For people, unique.
    pub name: String,
    /// `pods`, `workload`, `namespace`, `host`, `nodes` or `outside`.
    pub kind: String,
    /// Its namespace; absent outside of all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Labels that all members share.
    pub labels: BTreeMap<String, String>,
    /// Who it is, by name.
    pub members: Vec<String>,
    /// Whether ingress that no rule allows is denied, for some member.
    pub isolated_ingress: bool,
    /// Whether egress that no rule allows is denied, for some member.
    pub isolated_egress: bool,
}

/// What passes from one vertex to another.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EdgeEntry {
    /// Into `vertices`, from 0.
    pub from: usize,
    /// Into `vertices`, from 0.
    pub to: usize,
    /// All of it in words.
    pub label: String,
    /// Every port that passes between some members of both, for example `tcp/80,udp/1000-2000`, `any`, or `none`.
    pub ports: String,
    /// Those of them that go through a proxy; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Those of them that need authentication; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Ports of which it is not known whether they pass; absent when all is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Facts that were not read and that those hang on.
    pub missing: Vec<MissingFact>,
    /// Whether some members, or one family of addresses, let less pass than others.
    pub partial: bool,
    /// Why the source lets it go.
    pub egress: EndEntry,
    /// Why the destination lets it in.
    pub ingress: EndEntry,
}

/// Why one end lets something pass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndEntry {
    /// Whether no policy of this cluster applies at this end.
    pub unmanaged: bool,
    /// Whether some of it passes because nothing isolates a member.
    pub open: bool,
    /// The rules that let it pass.
    pub rules: Vec<RuleEntry>,
}

/// A rule that lets something pass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleEntry {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// Which ports of the edge.
    pub ports: String,
}

/// A graph as data.
pub(super) fn report(session: &Session, level: Level, graph: &Graph) -> GraphReport {
    let db = &session.db;
    GraphReport {
        api_version: API_VERSION,
        kind: "GraphReport",
        dialect: DialectEntry::of(&session.choice),
        cluster: session.cluster.clone(),
        incomplete: Incomplete::of(db),
        level: level.name().to_owned(),
        vertices: graph.vertices.iter().map(vertex).collect(),
        edges: graph.edges.iter().map(|it| edge(db, it)).collect(),
        notes: graph.notes.iter().map(ToString::to_string).collect(),
    }
}

fn vertex(vertex: &Vertex) -> VertexEntry {
    VertexEntry {
        name: vertex.name.clone(),
        kind: vertex.kind.name().to_owned(),
        namespace: vertex.namespace.clone(),
        labels: if vertex.kind == Kind::Namespace { BTreeMap::new() } else { vertex.labels.clone() },
        members: vertex.members.clone(),
        isolated_ingress: vertex.isolated[0],
        isolated_egress: vertex.isolated[1],
    }
}

fn edge(db: &Database, edge: &Edge) -> EdgeEntry {
    let some = |set: &L4Set| (!set.is_empty()).then(|| set.to_string());
    let missing = edge.missing.iter().map(|it| MissingFact {
        fact: it.fact.name().to_owned(),
        of: it.of.clone(),
        supplied_by: it.fact.supplied_by().to_owned(),
    });
    EdgeEntry {
        from: edge.from,
        to: edge.to,
        label: words::edge(edge),
        ports: edge.ports.to_string(),
        redirect: some(&edge.redirect),
        auth: some(&edge.auth),
        unknown: some(&edge.unknown),
        missing: missing.collect(),
        partial: edge.partial,
        egress: end(db, &edge.egress),
        ingress: end(db, &edge.ingress),
    }
}

fn end(db: &Database, end: &End) -> EndEntry {
    let rule = |it: &graph::Because| RuleEntry { cause: cause(db, &it.cause), ports: words::ports(&it.ports) };
    EndEntry { unmanaged: end.unmanaged, open: end.open, rules: end.rules.iter().map(rule).collect() }
}
