//! What `trace` says of an answer in parts, and of the way out of the cluster.

use crate::report::{DiffersUnder, MissingFact, TraceCause, TraceSide};
use schemars::JsonSchema;
use serde::Serialize;

/// A part of what was asked for that has one answer: some ports of a range, or a backend of a service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TracePart {
    /// Its protocols and ports as the destination sees them, for example `tcp/8000-8079`.
    pub port: String,
    /// The backend of the service that answers; absent where no service was asked for, or none is known behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// `allow`, `depends`, `deny` or `unknown`, both ends together.
    pub verdict: String,
    /// Facts that were not read and that the answer hangs on.
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
}

/// By which way packets leave the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceWay {
    /// To which address.
    pub to: String,
    /// `the normal way`, `through NODE`, `through NODE as ADDRESS`, or why it is dropped; several where a pod may be pinned to any.
    pub ways: Vec<String>,
    /// What says so.
    pub by: Vec<TraceCause>,
}
