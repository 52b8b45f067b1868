//! Every remote party that rules can tell apart, numbered; and which address belongs to which.
//!
//! ```text
//!  pods ────────┐                       ┌─► peers: number → labels, ports, prefixes
//!  nodes ───────┼─► keys ─sort, number─►│
//!  prefixes ────┤                       └─► addresses(node): prefix → number
//!  DNS names ───┘
//! ```
//! A peer is one per (labels, named ports, set of by-address prefixes that cover its address); outside the cluster it is one per
//! mentioned prefix. Which peer is `host` depends on the node that asks; see [`HostId`].

mod found;
mod mentions;
mod ports;
mod services;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use flow::{PeerId, Prefix};

use crate::labels::LabelSet;

pub use mentions::Mentions;
pub use ports::NamedPorts;
pub use request::name::{canonical, matches as name_matches};
pub use services::{Backends, ServiceInfo, service_labels};
pub use table::PeerTable;

/// An address of the cluster's ranges that no entry explains, or that of a service before translation. Only rules that restrict no peer match it. Known to the programs.
pub const UNKNOWN: PeerId = PeerId(0);
/// The node that the subject is on. Known to the programs.
pub const HOST: PeerId = PeerId(1);
/// IPv4 addresses outside the cluster under no mentioned prefix. Known to the programs.
pub const WORLD_V4: PeerId = PeerId(2);
/// IPv6 addresses outside the cluster under no mentioned prefix. Known to the programs.
pub const WORLD_V6: PeerId = PeerId(3);
/// Health endpoints, of any node.
pub const HEALTH: PeerId = PeerId(4);
/// Proxies of Ingress and Gateway.
pub const INGRESS: PeerId = PeerId(5);
/// Endpoints whose labels are not known yet.
pub const INIT: PeerId = PeerId(6);
/// Addresses inside the cluster that nobody manages.
pub const UNMANAGED: PeerId = PeerId(7);

/// What makes a peer: two addresses with equal keys are one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey {
    /// The addresses that it stands for, when it is outside the cluster.
    pub region: Option<Prefix>,
    /// Its labels.
    pub labels: LabelSet,
    /// Its named ports, as far as policies mention their names.
    pub ports: NamedPorts,
    /// The prefixes, of those that match by address, that its address lies in. Empty outside the cluster, where `region` tells.
    pub covered_by: BTreeSet<Prefix>,
}

/// One numbered peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// What makes it. Shared by all tables that know it: labels are most of what a table weighs.
    pub key: Arc<PeerKey>,
    /// For people, for example `shop/web and 2 more`, `node n1` or `world 10.0.0.0/8`.
    pub name: String,
}

/// One way in which a node's own `host` differs from that of other nodes.
///
/// Units: an index into [`PeerTable::hosts`]. Subjects on nodes with equal ids may share one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// What the peer [`HOST`] is on some nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey {
    /// `reserved:host`, and `reserved:kube-apiserver` where the API server is.
    pub labels: LabelSet,
    /// The prefixes, of those that match by address, that some address of the node lies in.
    pub covered_by: BTreeSet<Prefix>,
}
