//! What user space stores for programs to read, and what programs leave for user space: all node maps but the addresses.

use crate::error::{Context as _, Error, Operation, Result};
use crate::node::Node;
use aya::maps::{MapData, RingBuf};
use image::codec::{Config, Connection, Endpoint, Record, decode_counters};
use image::layout::{COUNTERS, config, endpoint, track4, track6};
use image::{NodeMap, Target};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

impl Node {
    /// Stores lifetimes, switches and seed. Programs see each field at once, not all of them together.
    pub fn set_config(&mut self, config: &Config) {
        self.mapped(NodeMap::Config).write(0, &config.encode(&self.target));
    }

    /// The configuration, read back.
    pub fn config(&self) -> Config {
        Config::decode(&self.target, &self.mapped(NodeMap::Config).read(0, config::SIZE as usize))
    }

    /// Makes an interface's packets those of an endpoint. A known interface is overwritten.
    ///
    /// A new slot is published by its last store, so that programs never see half of it. Errors: [`Error::Full`] when the slots that
    /// the interface may use are taken; then the endpoint cannot run on this node until another goes or its interface has another index.
    pub fn endpoint_insert(&mut self, endpoint: &Endpoint) -> Result<()> {
        let full = || Error::Full { map: NodeMap::Endpoints, object: format!("interface {}", endpoint.ifindex) };
        let mapped = self.mapped(NodeMap::Endpoints);
        let at = self.probe(endpoint.ifindex).or_else(|| self.probe_empty(endpoint.ifindex)).ok_or_else(full)?;
        let bytes = endpoint.encode(&self.target);
        mapped.write(at + 4, &bytes[4..]);
        mapped.write(at, &bytes[..4]);
        Ok(())
    }

    /// Forgets an interface; its packets drop with `no-endpoint` from now on. `false` when it was not known.
    pub fn endpoint_remove(&mut self, ifindex: u32) -> bool {
        let found = self.probe(ifindex);
        if let Some(at) = found {
            self.mapped(NodeMap::Endpoints).write(at, &[0; 4]);
        }
        found.is_some()
    }

    /// All endpoints, in table order.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let size = endpoint::SIZE as usize;
        let table = self.mapped(NodeMap::Endpoints).read(0, size << self.target.endpoints_log2);
        table.chunks_exact(size).filter_map(|slot| Endpoint::decode(&self.target, slot)).collect()
    }

    fn probe(&self, ifindex: u32) -> Option<usize> {
        Endpoint::slots(&self.target, ifindex).find(|&at| ifindex != 0 && self.ifindex_at(at) == ifindex)
    }

    fn probe_empty(&self, ifindex: u32) -> Option<usize> {
        Endpoint::slots(&self.target, ifindex).find(|&at| ifindex != 0 && self.ifindex_at(at) == 0)
    }

    fn ifindex_at(&self, at: usize) -> u32 {
        let word = self.mapped(NodeMap::Endpoints).words32().get((at + endpoint::IFINDEX as usize) / 4);
        word.map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// The packet counters, by index: 0 passed, drop reasons by number, [`image::layout::LOST_RECORDS`].
    pub fn counters(&self) -> [u64; COUNTERS as usize] {
        decode_counters(&self.target, &self.mapped(NodeMap::Counters).read(0, COUNTERS as usize * 8))
    }

    /// The tracked connections of both families, IPv4 first, in table order; outdated ones included, as programs find them.
    ///
    /// An entry that a program changes while it is read is left out: it is somebody else's by then.
    pub fn connections(&self) -> Vec<Connection> {
        let read = |map, size: u32, state: u32, decode: fn(&Target, &[u8]) -> Option<Connection>| {
            let entries = self.mapped(map).words64().chunks_exact(size as usize / 8);
            entries.filter_map(move |entry| decode(&self.target, &steady(entry, state as usize / 8)?))
        };
        let four = read(NodeMap::Track4, track4::SIZE, track4::STATE, Connection::decode4);
        four.chain(read(NodeMap::Track6, track6::SIZE, track6::STATE, Connection::decode6)).collect()
    }

    /// Forgets all connections. Packets of those that go on are judged as first packets are, and answers to them dropped where policy
    /// does not allow them. What a program writes at the same moment may stay.
    pub fn forget_connections(&mut self) {
        for (map, size, state) in
            [(NodeMap::Track4, track4::SIZE, track4::STATE), (NodeMap::Track6, track6::SIZE, track6::STATE)]
        {
            for entry in self.mapped(map).words64().chunks_exact(size as usize / 8) {
                let word = &entry[state as usize / 8];
                if word.load(Ordering::Relaxed) != 0 {
                    word.store(0, Ordering::Release);
                }
            }
        }
    }

    /// A reader of drop and allow records. One reader a node: two would each see some of the records.
    pub fn records(&self) -> Result<Records> {
        let object = NodeMap::Records.name();
        let fd = self.map(NodeMap::Records).as_fd().try_clone_to_owned().on(Operation::ReadMap, object)?;
        let data = MapData::from_fd(fd).map_err(io::Error::other).on(Operation::ReadMap, object)?;
        let ring = RingBuf::try_from(aya::maps::Map::RingBuf(data)).map_err(io::Error::other);
        Ok(Records { ring: ring.on(Operation::MapMemory, object)?, target: self.target.clone() })
    }
}

/// The bytes of an entry whose state word did not change while they were read; `None` for a free or changing one.
fn steady(entry: &[AtomicU64], state: usize) -> Option<Vec<u8>> {
    let before = entry.get(state)?.load(Ordering::Acquire);
    if before == 0 {
        return None;
    }
    let bytes = entry.iter().flat_map(|word| word.load(Ordering::Acquire).to_ne_bytes()).collect();
    (entry[state].load(Ordering::Acquire) == before).then_some(bytes)
}

/// Reads records from the ring buffer, oldest first. Its descriptor is readable (poll, epoll) while there are some.
pub struct Records {
    ring: RingBuf<MapData>,
    target: Target,
}

impl Iterator for Records {
    type Item = Record;

    /// The next record; `None` when there is none now. What is too short to be a record is passed over.
    fn next(&mut self) -> Option<Record> {
        loop {
            let bytes = self.ring.next()?;
            if let Some(record) = Record::decode(&self.target, &bytes) {
                return Some(record);
            }
        }
    }
}

impl AsFd for Records {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
