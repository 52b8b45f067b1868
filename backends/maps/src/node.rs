//! The maps that all images of a node share, and typed ways to fill and read them.

use crate::map::{Access, Map, MapError};
use image::address::Address4;
use image::codec::{self, Config, Connection, Endpoint, NoSlot, Record};
use image::{NodeMap, Target, layout};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

/// Jiffies a second of the simulated kernel.
pub const HZ: u32 = 1000;

/// One node's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeMaps {
    target: Target,
    maps: Vec<Map>,
}

impl NodeMaps {
    /// All maps, empty, except that the configuration is [`Config::new`] with [`HZ`] and a fixed seed.
    pub fn new(target: &Target) -> NodeMaps {
        let make = |map: &NodeMap| {
            // Locks are the kernel's to write.
            let access = if *map == NodeMap::Locks { Access::ReadOnly } else { Access::ReadWrite };
            Map::new(map.spec(target), access, target.little_endian)
        };
        let mut maps = NodeMaps { target: target.clone(), maps: NodeMap::ALL.iter().map(make).collect() };
        maps.set_config(&Config::new(HZ, 0x7469_6465));
        maps
    }

    /// What the maps were made for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A map.
    #[inline]
    pub fn get(&self, map: NodeMap) -> &Map {
        &self.maps[map as usize]
    }

    /// A map, to be written.
    #[inline]
    pub fn get_mut(&mut self, map: NodeMap) -> &mut Map {
        &mut self.maps[map as usize]
    }

    fn value(&self, map: NodeMap) -> &[u8] {
        self.get(map).memory().value(0)
    }

    fn store(&mut self, map: NodeMap, at: usize, bytes: &[u8]) {
        self.get_mut(map).memory_mut().value_mut(0)[at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Stores the configuration.
    pub fn set_config(&mut self, config: &Config) {
        let bytes = config.encode(&self.target);
        self.store(NodeMap::Config, 0, &bytes);
    }

    /// The configuration.
    pub fn config(&self) -> Config {
        Config::decode(&self.target, self.value(NodeMap::Config))
    }

    /// Adds an endpoint, or replaces that of the same interface. Errors: [`NoSlot`].
    pub fn insert_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), NoSlot> {
        let at = Endpoint::place(&self.target, self.value(NodeMap::Endpoints), endpoint.ifindex)?;
        let bytes = endpoint.encode(&self.target);
        self.store(NodeMap::Endpoints, at, &bytes);
        Ok(())
    }

    /// Removes the endpoint of an interface, and says whether there was one.
    pub fn remove_endpoint(&mut self, ifindex: u32) -> bool {
        let found = Endpoint::find(&self.target, self.value(NodeMap::Endpoints), ifindex);
        if let Some(at) = found {
            self.store(NodeMap::Endpoints, at, &[0; layout::endpoint::SIZE as usize]);
        }
        found.is_some()
    }

    /// The endpoint of an interface.
    pub fn endpoint(&self, ifindex: u32) -> Option<Endpoint> {
        let table = self.value(NodeMap::Endpoints);
        let at = Endpoint::find(&self.target, table, ifindex)?;
        Endpoint::decode(&self.target, &table[at..])
    }

    /// Replaces the IPv4 address table. Errors: `false`, and nothing is stored, for a table made for a larger target.
    pub fn set_addresses4(&mut self, addresses: &Address4) -> bool {
        let bytes = codec::put_words(&self.target, addresses.words());
        let fits = bytes.len() <= self.value(NodeMap::Address4).len();
        if fits {
            self.store(NodeMap::Address4, 0, &bytes);
        }
        fits
    }

    /// Names the peer of one IPv6 address. Errors: [`MapError::TooBig`] when the table is full.
    pub fn set_address6(&mut self, address: Ipv6Addr, peer: u32) -> Result<(), MapError> {
        let value = codec::put_u32(&self.target, peer);
        self.get_mut(NodeMap::Address6Exact).update(&codec::encode_address6(address), &value, 0)
    }

    /// Forgets one IPv6 address. Errors: [`MapError::NotFound`].
    pub fn remove_address6(&mut self, address: Ipv6Addr) -> Result<(), MapError> {
        self.get_mut(NodeMap::Address6Exact).delete(&codec::encode_address6(address))
    }

    /// Names the peer of an IPv6 prefix. Errors: [`MapError::NoSpace`] when the table is full.
    pub fn set_prefix6(&mut self, address: Ipv6Addr, len: u8, peer: u32) -> Result<(), MapError> {
        let key = codec::encode_prefix6(&self.target, address, len);
        let value = codec::put_u32(&self.target, peer);
        self.get_mut(NodeMap::Address6Prefix).update(&key, &value, 0)
    }

    /// Forgets an IPv6 prefix. Errors: [`MapError::NotFound`].
    pub fn remove_prefix6(&mut self, address: Ipv6Addr, len: u8) -> Result<(), MapError> {
        let key = codec::encode_prefix6(&self.target, address, len);
        self.get_mut(NodeMap::Address6Prefix).delete(&key)
    }

    /// Makes the addresses of the node itself exactly these. Errors: [`MapError::TooBig`] when there are more than the table holds.
    pub fn set_own(&mut self, addresses: &BTreeSet<IpAddr>) -> Result<(), MapError> {
        *self.get_mut(NodeMap::Own) =
            Map::new(NodeMap::Own.spec(&self.target), Access::ReadWrite, self.target.little_endian);
        let value = codec::put_u32(&self.target, 1);
        addresses
            .iter()
            .try_for_each(|address| self.get_mut(NodeMap::Own).update(&codec::encode_own(*address), &value, 0))
    }

    /// Takes all readable records, oldest first. Records of another length are left out.
    pub fn take_records(&mut self) -> Vec<Record> {
        let target = self.target.clone();
        let Some(ring) = self.get_mut(NodeMap::Records).ring_mut() else { return Vec::new() };
        std::iter::from_fn(|| ring.consume()).filter_map(|bytes| Record::decode(&target, &bytes)).collect()
    }

    /// The packet counters, by index.
    pub fn counters(&self) -> [u64; layout::COUNTERS as usize] {
        codec::decode_counters(&self.target, self.value(NodeMap::Counters))
    }

    /// All tracked connections, IPv4 first. Cost: reads both tables whole.
    pub fn connections(&self) -> Vec<Connection> {
        let mut all = Connection::all4(&self.target, self.value(NodeMap::Track4));
        all.extend(Connection::all6(&self.target, self.value(NodeMap::Track6)));
        all
    }

    /// Forgets all connections and fragments.
    pub fn clear_connections(&mut self) {
        for map in [NodeMap::Track4, NodeMap::Track6, NodeMap::Fragments] {
            *self.get_mut(map) = Map::new(map.spec(&self.target), Access::ReadWrite, self.target.little_endian);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Target {
        Target {
            endpoints_log2: 3,
            address4_pages_log2: 2,
            track4_sets_log2: 1,
            track6_sets_log2: 1,
            address6_log2: 4,
            fragments_log2: 4,
            records_log2: 12,
            ..Target::default()
        }
    }

    #[test]
    fn what_is_stored_is_found() {
        let mut maps = NodeMaps::new(&small());
        let endpoint = Endpoint {
            ifindex: 12,
            id: 3,
            address4: Some([10, 0, 1, 9].into()),
            address6: None,
            mac: Some([2, 0, 0, 0, 0, 1]),
        };
        maps.insert_endpoint(&endpoint).unwrap();
        assert_eq!(maps.endpoint(12), Some(endpoint));
        assert!(maps.remove_endpoint(12) && !maps.remove_endpoint(12));
        assert_eq!(maps.endpoint(12), None);
        assert_eq!(maps.config().tcp_established, 8_000_000);
    }

    #[test]
    fn the_ipv4_table_is_stored_as_its_builder_made_it() {
        let mut maps = NodeMaps::new(&small());
        let table = Address4::build(&small(), 2, &[(0x0a000109, 32, 40)]).unwrap();
        assert!(maps.set_addresses4(&table));
        let bytes = maps.get(NodeMap::Address4).memory().value(0);
        for (i, &word) in table.words().iter().enumerate() {
            assert_eq!(codec::get_u32(&small(), bytes, i as u32 * 4), word);
        }
        let large = Target { address4_pages_log2: 12, ..small() };
        let prefixes: Vec<_> = (0..9).map(|i| (i << 16, 24, 1)).collect();
        assert!(!maps.set_addresses4(&Address4::build(&large, 2, &prefixes).unwrap()));
    }

    #[test]
    fn ipv6_prefixes_answer_for_the_addresses_below_them() {
        let mut maps = NodeMaps::new(&small());
        maps.set_prefix6("fd00::".parse().unwrap(), 8, 7).unwrap();
        maps.set_prefix6("fd00:0:0:1::".parse().unwrap(), 64, 8).unwrap();
        let mut peer = |address: &str| {
            let key = codec::encode_prefix6(&small(), address.parse().unwrap(), 128);
            maps.get_mut(NodeMap::Address6Prefix).read(&key).map(|value| codec::get_u32(&small(), value, 0))
        };
        assert_eq!([peer("fd00:0:0:1::9"), peer("fd00:0:0:2::9"), peer("2001::1")], [Some(8), Some(7), None]);
    }
}
