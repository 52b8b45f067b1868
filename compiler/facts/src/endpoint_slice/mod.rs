//! EndpointSlice, discovery.k8s.io/v1.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::Protocol;

use crate::{Labels, Name};

pub use decode::decode;

/// Some backends of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointSlice {
    /// Namespace and name of the slice.
    pub name: Name,
    /// Its labels; `kubernetes.io/service-name` names the service.
    pub labels: Labels,
    /// The backends.
    pub endpoints: Vec<Endpoint>,
    /// Their ports.
    pub ports: Vec<EndpointPort>,
}

impl EndpointSlice {
    /// The service that the slice belongs to; `None` without the label.
    pub fn service_name(&self) -> Option<Name> {
        let service = self.labels.get("kubernetes.io/service-name")?;
        Some(Name::new(self.name.namespace.clone(), service.clone()))
    }
}

/// One backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its addresses; those that are no IP address are left out.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether it is chosen for new connections, as `conditions` say.
    pub takes: Takes,
    /// The node it is on.
    pub node: Option<String>,
}

/// When a backend is chosen for new connections. The lesser is chosen before the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Takes {
    /// It is ready, as whoever says nothing is.
    #[default]
    Always,
    /// It ends and still serves: only where nobody is ready.
    Last,
    /// It is neither.
    Never,
}

/// A port of every backend of a slice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointPort {
    /// Its name; empty when unwritten.
    pub name: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its number; `None` means every port.
    pub port: Option<u16>,
}
