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
}

impl NodeMap {
    /// Every node map, in the order of their numbers.
    pub const ALL: [NodeMap; 11] = [
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
    ];

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
