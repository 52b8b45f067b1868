//! What an image assumes about its node: kernel features, table sizes, byte order.

use crate::layout;
use serde::{Deserialize, Serialize};

/// The node that an image is built for. Part of the digest: sizes and features are immediates of the programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Whether tables and instructions are little-endian.
    pub little_endian: bool,
    /// Slots of [`NodeMap::Endpoints`], as a power of two.
    pub endpoints_log2: u8,
    /// Pages of [`NodeMap::Address4`], as a power of two.
    pub address4_pages_log2: u8,
    /// Peer numbers that a class table holds, as a power of two; a greater number falls into the default class.
    pub peers_log2: u8,
    /// Sets of [`NodeMap::Track4`], as a power of two; each set has [`layout::TRACK_WAYS`] entries.
    pub track4_sets_log2: u8,
    /// Sets of [`NodeMap::Track6`], likewise.
    pub track6_sets_log2: u8,
    /// Entries of [`NodeMap::Address6Exact`] and of [`NodeMap::Address6Prefix`], as a power of two.
    pub address6_log2: u8,
    /// Entries of [`NodeMap::Fragments`], as a power of two.
    pub fragments_log2: u8,
    /// Bytes of [`NodeMap::Records`], as a power of two.
    pub records_log2: u8,
    /// How programs replace the state word of a connection.
    pub exchange: Exchange,
    /// Whether values of arrays may exceed [`NARROW_VALUE`] (kernel 6.0).
    pub wide_values: bool,
}

/// How programs replace a word that others may replace at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exchange {
    /// By an instruction that compares and exchanges (kernel 5.12).
    Instruction,
    /// By a comparison and a store while a lock of [`NodeMap::Locks`] is held (kernel 5.1); on x86-64, where stores are seen in their order.
    Lock,
}

/// The greatest value of an array before kernel 6.0: what one allocation of the kernel gives. Units: bytes.
pub const NARROW_VALUE: u32 = 4 << 20;

impl Target {
    /// The default for the kernels from one version on, mainline's first two numbers. Supposed is 5.10 at least.
    ///
    /// Source: commits 5ffa25502b5a (compare and exchange, 5.12) and 63b8ce77b15e (wide values, 6.0).
    pub fn for_kernel(version: (u8, u8)) -> Target {
        Target::offered(version >= (5, 12), version >= (6, 0))
    }

    /// The default for a kernel that offers an instruction to compare and exchange, or not, and values of arrays beyond [`NARROW_VALUE`], or not.
    pub fn offered(compares_and_exchanges: bool, wide_values: bool) -> Target {
        let usual = Target::default();
        let exchange = if compares_and_exchanges { Exchange::Instruction } else { Exchange::Lock };
        let usual = Target { exchange, wide_values, ..usual };
        match wide_values {
            true => usual,
            false => Target { address4_pages_log2: 11, track4_sets_log2: 14, track6_sets_log2: 13, ..usual },
        }
    }

    /// The first kernel that offers what this target supposes.
    pub fn since(&self) -> &'static str {
        match (self.wide_values, self.exchange) {
            (true, _) => "6.0",
            (false, Exchange::Instruction) => "5.12",
            (false, Exchange::Lock) => "5.10",
        }
    }
}

impl Default for Target {
    /// This machine's byte order, 4096 endpoints, 65,536 peers, 262,144 tracked flows a family.
    fn default() -> Target {
        Target {
            little_endian: cfg!(target_endian = "little"),
            endpoints_log2: 12,
            address4_pages_log2: 12,
            peers_log2: 16,
            track4_sets_log2: 15,
            track6_sets_log2: 15,
            address6_log2: 16,
            fragments_log2: 13,
            records_log2: 20,
            exchange: Exchange::Instruction,
            wide_values: true,
        }
    }
}

/// The maps that all images of a node share. They are pinned and outlive every image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NodeMap {
    /// Lifetimes, switches, seed: [`layout::config`].
    Config,
    /// Interface → endpoint: [`layout::endpoint`].
    Endpoints,
    /// IPv4 address → peer number: [`crate::address`].
    Address4,
    /// IPv6 address → peer number, exact (hash).
    Address6Exact,
    /// IPv6 prefix → peer number, longest match (LPM trie).
    Address6Prefix,
    /// IPv4 connections: [`layout::track4`].
    Track4,
    /// IPv6 connections: [`layout::track6`].
    Track6,
    /// First fragments' ports: [`layout::fragment`].
    Fragments,
    /// The ring buffer of drop and allow records: [`layout::record`].
    Records,
    /// `u64` packet counters by [`crate::DropReason`] number; index 0 counts passed packets, [`layout::LOST_RECORDS`] lost records.
    Counters,
    /// The addresses of the node itself (hash): [`layout::own`].
    Own,
    /// Locks of the sets of both connection tables, for targets of [`Exchange::Lock`]: [`layout::lock`].
    Locks,
}

impl NodeMap {
    /// Every node map, in the order of their numbers.
    pub const ALL: [NodeMap; 12] = [
        NodeMap::Config,
        NodeMap::Endpoints,
        NodeMap::Address4,
        NodeMap::Address6Exact,
        NodeMap::Address6Prefix,
        NodeMap::Track4,
        NodeMap::Track6,
        NodeMap::Fragments,
        NodeMap::Records,
        NodeMap::Counters,
        NodeMap::Own,
        NodeMap::Locks,
    ];

    /// The maps that a node of a target has, in the order of their numbers.
    pub fn of(target: &Target) -> &'static [NodeMap] {
        let [usual @ .., NodeMap::Locks] = &NodeMap::ALL else { return &NodeMap::ALL };
        match target.exchange {
            Exchange::Instruction => usual,
            Exchange::Lock => &NodeMap::ALL,
        }
    }

    /// The kernel's name for the map, and its file name below the pin folder.
    pub fn name(self) -> &'static str {
        match self {
            NodeMap::Config => "tg_config",
            NodeMap::Endpoints => "tg_endpoints",
            NodeMap::Address4 => "tg_address4",
            NodeMap::Address6Exact => "tg_address6",
            NodeMap::Address6Prefix => "tg_prefix6",
            NodeMap::Track4 => "tg_track4",
            NodeMap::Track6 => "tg_track6",
            NodeMap::Fragments => "tg_fragments",
            NodeMap::Records => "tg_records",
            NodeMap::Counters => "tg_counters",
            NodeMap::Own => "tg_own",
            NodeMap::Locks => "tg_locks",
        }
    }

    /// How to create the map for a target.
    pub fn spec(self, target: &Target) -> MapSpec {
        let array = |value_size| MapSpec { kind: MapKind::Array, key_size: 4, value_size, max_entries: 1 };
        match self {
            NodeMap::Config => array(layout::config::SIZE),
            NodeMap::Endpoints => array(layout::endpoint::SIZE << target.endpoints_log2),
            NodeMap::Address4 => array(crate::address::value_size(target)),
            NodeMap::Address6Exact => {
                MapSpec { kind: MapKind::Hash, key_size: 16, value_size: 4, max_entries: 1 << target.address6_log2 }
            }
            NodeMap::Address6Prefix => {
                MapSpec { kind: MapKind::LpmTrie, key_size: 20, value_size: 4, max_entries: 1 << target.address6_log2 }
            }
            NodeMap::Track4 => array((layout::track4::SIZE * layout::TRACK_WAYS) << target.track4_sets_log2),
            NodeMap::Track6 => array((layout::track6::SIZE * layout::TRACK_WAYS) << target.track6_sets_log2),
            NodeMap::Fragments => MapSpec {
                kind: MapKind::LruHash,
                key_size: layout::fragment::KEY_SIZE,
                value_size: layout::fragment::VALUE_SIZE,
                max_entries: 1 << target.fragments_log2,
            },
            NodeMap::Records => {
                MapSpec { kind: MapKind::RingBuf, key_size: 0, value_size: 0, max_entries: 1 << target.records_log2 }
            }
            NodeMap::Counters => array(layout::COUNTERS * 8),
            NodeMap::Own => MapSpec {
                kind: MapKind::Hash,
                key_size: layout::own::KEY_SIZE,
                value_size: layout::own::VALUE_SIZE,
                max_entries: layout::own::ENTRIES,
            },
            NodeMap::Locks => MapSpec {
                kind: MapKind::Locks,
                key_size: 4,
                value_size: layout::lock::SIZE,
                max_entries: layout::lock::COUNT,
            },
        }
    }
}

/// The kinds of map that programs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MapKind {
    /// `BPF_MAP_TYPE_ARRAY`.
    Array,
    /// `BPF_MAP_TYPE_HASH`.
    Hash,
    /// `BPF_MAP_TYPE_LRU_HASH`, kernel 4.10.
    LruHash,
    /// `BPF_MAP_TYPE_LPM_TRIE`, kernel 4.11; created with `BPF_F_NO_PREALLOC`.
    LpmTrie,
    /// `BPF_MAP_TYPE_RINGBUF`, kernel 5.8; `max_entries` is its size in bytes.
    RingBuf,
    /// `BPF_MAP_TYPE_PERCPU_ARRAY`, kernel 4.6: each processor has values of its own.
    PerCpuArray,
    /// `BPF_MAP_TYPE_ARRAY` whose values each begin with a `struct bpf_spin_lock`, said by their types; kernel 5.1.
    Locks,
}

/// The arguments of `BPF_MAP_CREATE`. Units: bytes, and entries (bytes for a ring buffer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MapSpec {
    /// What kind of map.
    pub kind: MapKind,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Entries, or bytes of a ring buffer.
    pub max_entries: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_fit_into_what_the_kernel_of_a_target_allocates() {
        let arrays = |target: &Target| -> Vec<u32> {
            let specs = NodeMap::of(target).iter().map(|map| map.spec(target));
            specs.filter(|spec| spec.kind == MapKind::Array).map(|spec| spec.value_size).collect()
        };
        for version in [(5, 10), (5, 11), (5, 15), (5, 19)] {
            let target = Target::for_kernel(version);
            assert!(arrays(&target).iter().all(|size| *size <= NARROW_VALUE), "{version:?}: {:?}", arrays(&target));
        }
        assert_eq!(Target::for_kernel((6, 0)), Target::default());
        assert!(arrays(&Target::default()).iter().any(|size| *size > NARROW_VALUE));
    }

    #[test]
    fn only_targets_of_locks_have_a_map_of_them() {
        assert!(NodeMap::of(&Target::for_kernel((5, 11))).contains(&NodeMap::Locks));
        assert_eq!(NodeMap::of(&Target::for_kernel((5, 12))).len(), NodeMap::ALL.len() - 1);
        assert!(!NodeMap::of(&Target::default()).contains(&NodeMap::Locks));
        let in_order = NodeMap::ALL.iter().enumerate().all(|(at, map)| *map as usize == at);
        assert!(in_order, "maps are found by their numbers");
    }
}
