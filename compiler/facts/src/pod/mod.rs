//! Pod, core/v1.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::Protocol;

use crate::{Labels, Name};

pub use decode::decode;
pub(crate) use decode::template;

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Namespace and name.
    pub name: Name,
    /// Labels as written, none filtered.
    pub labels: Labels,
    /// Its addresses, both families (`status.podIPs`, `status.podIP`). A host-network pod has its node's.
    pub ips: BTreeSet<IpAddr>,
    /// Ports that regular containers name, in the order of writing, each once; unnamed ones mean nothing to policies and are left out.
    pub ports: Vec<ContainerPort>,
    /// What the kubelet asks regular containers over the network, at the pod itself; policies decide nothing by it, lints do.
    pub probes: BTreeSet<Probe>,
    /// `spec.serviceAccountName`; empty when absent.
    pub service_account: String,
    /// Whether it shares its node's network.
    pub host_network: bool,
    /// The node it runs on, once scheduled.
    pub node: Option<String>,
    /// Where it is in its life.
    pub phase: Phase,
    /// Whether its deletion has begun.
    pub deleting: bool,
    /// The image of the network agent that it runs; only read of pods labelled `k8s-app=cilium`.
    pub agent_image: Option<String>,
    /// Another cluster of a mesh that it runs in; `None` for this one.
    pub cluster: Option<String>,
}

impl Pod {
    /// The addresses that are the pod's own: none for a finished pod and none for one on the host network.
    pub fn own_ips(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let owns = !self.host_network && !self.phase.is_over();
        self.ips.iter().copied().filter(move |_| owns)
    }
}

/// A named container port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerPort {
    /// Its name, lower case.
    pub name: String,
    /// Its protocol; TCP when unwritten.
    pub protocol: Protocol,
    /// Its number.
    pub port: u16,
}

/// A probe that a kubelet sends to the pod itself, with a port that is known. All of them are TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// What it is for.
    pub kind: ProbeKind,
    /// The port that it asks.
    pub port: u16,
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// Whether the container is restarted.
    Liveness,
    /// Whether it gets traffic.
    Readiness,
    /// Whether it has started, before which the others wait.
    Startup,
}

impl ProbeKind {
    /// Every kind with its field of a container.
    pub const FIELDS: [(&'static str, ProbeKind); 3] = [
        ("livenessProbe", ProbeKind::Liveness),
        ("readinessProbe", ProbeKind::Readiness),
        ("startupProbe", ProbeKind::Startup),
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            ProbeKind::Liveness => "liveness probe",
            ProbeKind::Readiness => "readiness probe",
            ProbeKind::Startup => "startup probe",
        }
    }
}

/// The fields of a probe that ask over the network. `exec` asks inside the container.
pub const PROBE_WAYS: [&str; 3] = ["httpGet", "tcpSocket", "grpc"];

/// `status.phase` of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Accepted, not all containers run yet.
    Pending,
    /// Bound to a node, containers run. Also what a manifest without status is taken for.
    #[default]
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, at least one badly.
    Failed,
    /// The node cannot be asked.
    Unknown,
}

impl Phase {
    /// Whether the pod will not run again and so owns no address.
    pub fn is_over(self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed)
    }
}
