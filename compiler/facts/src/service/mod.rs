//! Service, core/v1.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::Protocol;

use crate::{Labels, Name};

pub use decode::decode;

/// A service, as far as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Namespace and name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// `spec.selector`; empty when the service has none.
    pub selector: Labels,
    /// `spec.clusterIPs`, `spec.clusterIP`; empty for headless services.
    pub cluster_ips: BTreeSet<IpAddr>,
    /// `spec.ports`.
    pub ports: Vec<ServicePort>,
    /// `spec.type`; `ClusterIP` when unwritten.
    pub kind: String,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePort {
    /// Its name; empty when unwritten.
    pub name: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port that clients ask.
    pub port: u16,
    /// The port of the backends.
    pub target: TargetPort,
    /// The port on every node, when there is one.
    pub node_port: Option<u16>,
}

/// `targetPort` of a service port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetPort {
    /// A number.
    Number(u16),
    /// The name of a container port.
    Name(String),
}
