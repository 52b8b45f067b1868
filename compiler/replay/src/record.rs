//! One recorded flow, whoever recorded it.

use crate::Time;
use flow::{Direction, L4Key};
use request::Request;
use std::fmt;
use std::net::IpAddr;

/// One end of a recorded flow, as the record describes it. What is not written is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// The namespace of a pod.
    pub namespace: String,
    /// The name of a pod.
    pub pod: String,
    /// The name of what made the pod, where the record says it.
    pub workload: String,
    /// The labels of its identity, with sources, such as `k8s:app=web` or `reserved:world`; sorted.
    pub labels: Vec<String>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Names that DNS gave for the address; sorted.
    pub names: Vec<String>,
    /// The service that has the address, `namespace/name`, where the record says it.
    pub service: String,
}

/// Where on its way a packet was recorded, as far as services care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// The record does not say it.
    #[default]
    Unsaid,
    /// Before addresses of services are translated.
    Before,
    /// Behind that, so that policies saw the addresses of the record.
    Behind,
}

impl End {
    /// Whether the identity has a reserved label of this name.
    pub fn is_reserved(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label.strip_prefix("reserved:") == Some(name))
    }

    /// Whether it is known by its address alone, which may be a service's.
    pub fn is_address(&self) -> bool {
        self.pod.is_empty() && self.address.is_some() && !self.labels.iter().any(|label| label.starts_with("k8s:"))
    }

    /// Whether the identity lies outside the cluster: the world, a prefix, or what a name resolved to.
    pub fn is_outside(&self) -> bool {
        let outside = |label: &String| {
            matches!(label.as_str(), "reserved:world" | "reserved:world-ipv4" | "reserved:world-ipv6")
                || label.starts_with("cidr:")
                || label.starts_with("fqdn:")
        };
        self.labels.iter().any(outside)
    }

    /// The value of a label of Kubernetes.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find_map(|label| {
            let rest = label.strip_prefix("k8s:")?;
            let (found, value) = rest.split_once('=').unwrap_or((rest, ""));
            (found == key).then_some(value)
        })
    }
}

/// What the recorder saw happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recorded {
    /// It passed, perhaps through a proxy.
    Passed,
    /// Policy denied it.
    Denied,
    /// Policy denied it and audit mode let it pass.
    Audited,
    /// It was dropped, and not because of a policy.
    DroppedOtherwise,
    /// The record says of no verdict.
    Unsaid,
}

impl Recorded {
    /// What policy said, where the record tells it: whether the flow was allowed.
    pub fn allowed(self) -> Option<bool> {
        match self {
            Recorded::Passed => Some(true),
            Recorded::Denied | Recorded::Audited => Some(false),
            Recorded::DroppedOtherwise | Recorded::Unsaid => None,
        }
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Recorded::Passed => "allow",
            Recorded::Denied => "deny",
            Recorded::Audited => "deny (audited)",
            Recorded::DroppedOtherwise => "dropped for another reason",
            Recorded::Unsaid => "not recorded",
        })
    }
}

/// One record, its ends numbered by the tally that it goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<E> {
    /// When; `None` when unwritten.
    pub time: Option<Time>,
    /// Who opened the connection.
    pub source: E,
    /// With whom.
    pub destination: E,
    /// Protocol and destination port, or ICMP type; `None` where the record has none.
    pub key: Option<L4Key>,
    /// At which end it was recorded; `None` asks both.
    pub direction: Option<Direction>,
    /// Where on its way it was recorded.
    pub point: Point,
    /// Whether it is an answer within a connection.
    pub reply: bool,
    /// What became of it.
    pub recorded: Recorded,
    /// What was asked over the connection, where a proxy recorded it.
    pub request: Option<Request>,
}

/// Why a record says nothing that policies could be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unasked {
    /// An answer within a connection: it passes as the connection does.
    Reply,
    /// No protocol that policies know, or no port.
    NoPort,
    /// Neither a pod, nor labels, nor an address at one end.
    NoEnd,
    /// The record is of something else than a flow.
    NotAFlow,
}

impl Unasked {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Unasked::Reply => "reply",
            Unasked::NoPort => "no-port",
            Unasked::NoEnd => "no-end",
            Unasked::NotAFlow => "not-a-flow",
        }
    }

    /// What it means, for people.
    pub fn means(self) -> &'static str {
        match self {
            Unasked::Reply => "an answer within a connection passes as the connection does",
            Unasked::NoPort => "the record has no protocol and port that policies decide about",
            Unasked::NoEnd => "the record says neither pod, nor labels, nor address of an end",
            Unasked::NotAFlow => "the record is of something else than a flow, such as an event of an agent",
        }
    }
}
