//! From port items to key sets; named ports may split the peers.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow::{Direction, Family, L4Set, PeerSet, Peers, Protocol};

use super::Binder;
use crate::policy::{Entry, Icmp, L4, Ports};

impl Binder<'_, '_> {
    /// What an entry matches of these peers, as pairs of peers and key sets.
    ///
    /// Shape: one pair, or with `by_item` one for each item and protocol; more where a name stands for different numbers.
    pub(super) fn ports(&self, entry: &Entry, peers: &Peers, by_item: bool) -> Vec<(Peers, L4Set)> {
        let L4::Items(items) = &entry.l4 else { return vec![(peers.clone(), L4Set::all())] };
        let mut pairs: Vec<(Peers, L4Set)> = Vec::new();
        for item in items {
            match &item.ports {
                Ports::Range { protocols, low, high } => {
                    pairs.extend(protocols.iter().map(|it| (peers.clone(), L4Set::ports(*it, *low, *high))));
                }
                Ports::Icmp(icmp) => pairs.push((peers.clone(), self.icmp(*icmp))),
                Ports::Name { protocols, name } => {
                    for protocol in protocols {
                        pairs.extend(self.named(entry.direction, name, *protocol, peers));
                    }
                }
            }
        }
        if by_item { pairs } else { merged(pairs) }
    }

    fn icmp(&self, icmp: Icmp) -> L4Set {
        let protocol = match icmp.family {
            Family::V4 => Protocol::ICMP,
            Family::V6 => Protocol::ICMPV6,
        };
        match icmp.kind {
            Some(0) if self.dialect.icmp_type_zero_is_any && icmp.family == Family::V4 => protocol.all_ports(),
            Some(kind) => L4Set::icmp_type(protocol, kind),
            None => protocol.all_ports(),
        }
    }

    fn named(&self, direction: Direction, name: &str, protocol: Protocol, peers: &Peers) -> Vec<(Peers, L4Set)> {
        let one = |port: u16| L4Set::ports(protocol, port, port);
        if direction == Direction::Ingress {
            return self.class.ports.get(name, protocol).map(|port| (peers.clone(), one(port))).collect();
        }
        if !self.dialect.egress_port_names_per_destination {
            let mut numbers = self.table.port_names().get(name, protocol);
            return match (numbers.next(), numbers.next()) {
                (Some(port), None) => vec![(peers.clone(), one(port))],
                _ => Vec::new(),
            };
        }
        let mut by_port: BTreeMap<u16, PeerSet> = BTreeMap::new();
        for (number, info) in self.table.peers().filter(|(number, _)| peers.contains(*number)) {
            for port in info.key.ports.get(name, protocol) {
                by_port.entry(port).or_default().insert(number);
            }
        }
        by_port.into_iter().map(|(port, peers)| (Peers::Of(Arc::new(peers)), one(port))).collect()
    }
}

/// Joins pairs of equal peers.
fn merged(pairs: Vec<(Peers, L4Set)>) -> Vec<(Peers, L4Set)> {
    let mut by_peers: BTreeMap<Peers, Vec<L4Set>> = BTreeMap::new();
    for (peers, set) in pairs {
        by_peers.entry(peers).or_default().push(set);
    }
    let union = |sets: Vec<L4Set>| L4Set::from_intervals(sets.iter().flat_map(|set| set.intervals().iter().copied()));
    by_peers.into_iter().map(|(peers, sets)| (peers, union(sets))).collect()
}
