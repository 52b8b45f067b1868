//! CiliumNode, cilium.io/v2: what the agent of a node says of it.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::Prefix;

use crate::Labels;

pub use decode::decode;

/// A node as its agent describes it: more addresses than its Node object names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CiliumNode {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses (`spec.addresses`).
    pub ips: BTreeSet<IpAddr>,
    /// The addresses of its health endpoint (`spec.health`).
    pub health: BTreeSet<IpAddr>,
    /// The addresses of its proxy for Ingress and Gateway (`spec.ingress`).
    pub ingress: BTreeSet<IpAddr>,
    /// Ranges of its pods (`spec.ipam.podCIDRs`).
    pub pod_cidrs: BTreeSet<Prefix>,
}
