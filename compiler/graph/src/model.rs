//! A graph: who there is, who reaches whom, and what is to be said about it.

use crate::wanted::Filter;
use facts::Labels;
use flow::L4Set;
use reason::{Cause, Missing};
use std::collections::BTreeSet;

/// Who reaches whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Namespaces first, in order; then nodes, then what is outside.
    pub vertices: Vec<Vertex>,
    /// By source, then destination. At least one end of each is governed by policies.
    pub edges: Vec<Edge>,
    /// What a reader should know, above all where there is nothing to see.
    pub notes: Vec<Note>,
}

/// What is treated as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// For people, unique.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its namespace; empty outside of all.
    pub namespace: String,
    /// Labels that all members share.
    pub labels: Labels,
    /// Who it is, by name.
    pub members: Vec<String>,
    /// Whether policies select it in some direction: ingress, then egress.
    pub isolated: [bool; 2],
}

/// What a vertex is. Ordered as vertices are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pods.
    Pods,
    /// A workload.
    Workload,
    /// A namespace.
    Namespace,
    /// The own node of whoever is on the other side.
    Host,
    /// Other nodes.
    Nodes,
    /// Addresses outside the cluster, and other clusters.
    Outside,
}

impl Kind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Pods => "pods",
            Kind::Workload => "workload",
            Kind::Namespace => "namespace",
            Kind::Host => "host",
            Kind::Nodes => "nodes",
            Kind::Outside => "outside",
        }
    }
}

/// What passes from one vertex to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Into [`Graph::vertices`].
    pub from: usize,
    /// Into [`Graph::vertices`].
    pub to: usize,
    /// Every port that passes between some members of both.
    pub ports: L4Set,
    /// Those of them that go through a proxy.
    pub redirect: L4Set,
    /// Those of them that need authentication.
    pub auth: L4Set,
    /// Ports of which it is not known whether they pass; none of them is in `ports`.
    pub unknown: L4Set,
    /// What would have to be known.
    pub missing: BTreeSet<Missing>,
    /// Whether some members of the ends, or one family of addresses, let less pass than others.
    pub partial: bool,
    /// Why the source lets it go.
    pub egress: End,
    /// Why the destination lets it in.
    pub ingress: End,
}

/// Why one end of an edge lets something pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Whether no policy of this cluster is asked at this end.
    pub unmanaged: bool,
    /// Whether for some member nothing isolates it, so that it lets pass what no rule speaks of.
    pub open: bool,
    /// The rules that let it pass, by object and path.
    pub rules: Vec<Because>,
}

/// A rule that lets something pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// Where it stands.
    pub cause: Cause,
    /// Which ports of the edge.
    pub ports: L4Set,
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// No pod and no workload was read.
    NobodyRead,
    /// Nothing matches a filter.
    Filtered(String),
    /// No policy selects any of the vertices that are shown.
    NoPolicySelects,
    /// Everything that the filters leave is denied.
    AllDenied,
    /// So many pods are on their node's network, and part of their nodes here.
    OnHostNetwork(usize),
    /// So many workloads have no pod; they stand for the pods that they would make.
    WithoutPods(usize),
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Note::NobodyRead => f.write_str("no pod and no workload was read, so there is nobody to connect"),
            Note::Filtered(filter) => write!(f, "nothing matches `{filter}`"),
            Note::NoPolicySelects => f.write_str("no policy selects anything that is shown, so everything passes"),
            Note::AllDenied => f.write_str("policies deny everything that was asked for"),
            Note::OnHostNetwork(1) => f.write_str("1 pod is on its node's network and part of its node here"),
            Note::OnHostNetwork(pods) => {
                write!(f, "{pods} pods are on their node's network and part of their nodes here")
            }
            Note::WithoutPods(1) => f.write_str("1 workload has no pod; it stands for the pods that it would make"),
            Note::WithoutPods(many) => {
                write!(f, "{many} workloads have no pod; they stand for the pods that they would make")
            }
        }
    }
}

impl Note {
    /// The note of a filter that matches nothing.
    pub fn filtered(filters: &[Filter]) -> Note {
        Note::Filtered(filters.iter().map(ToString::to_string).collect::<Vec<_>>().join("`, `"))
    }
}
