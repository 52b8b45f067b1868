//! What a node does with packets whatever its policy says.

use flow::Family;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Switches of a node. The default follows fragments and guards no tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Later fragments of IPv4 do not take the ports of their first: rule 28.
    pub untracked_fragments4: bool,
    /// Likewise of IPv6.
    pub untracked_fragments6: bool,
    /// Where the node takes packets out of a tunnel: rule 29.
    pub tunnel: Option<Tunnel>,
}

/// Where a node takes packets out of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The UDP port.
    pub port: u16,
    /// The node's addresses.
    pub addresses: BTreeSet<IpAddr>,
}

impl Settings {
    /// Whether later fragments of a family take the ports of their first.
    pub fn tracks_fragments(&self, family: Family) -> bool {
        match family {
            Family::V4 => !self.untracked_fragments4,
            Family::V6 => !self.untracked_fragments6,
        }
    }
}
