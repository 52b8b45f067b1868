//! Node, core/v1.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::Prefix;

use crate::Labels;

pub use decode::decode;

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses (`status.addresses` of types InternalIP and ExternalIP).
    pub ips: BTreeSet<IpAddr>,
    /// Ranges of its pods (`spec.podCIDRs`, `spec.podCIDR`).
    pub pod_cidrs: BTreeSet<Prefix>,
}
