//! Byte layouts that programs and user space share.
//!
//! Units: offsets and sizes in bytes. Integers are in the target's byte order; addresses and ports are as they stand in the packet
//! (network order), except where a field says otherwise.

/// Entries in one set of a connection table.
pub const TRACK_WAYS: u32 = 8;
/// How many `u64` the counters map holds.
pub const COUNTERS: u32 = 64;
/// Index of the counter of packets that passed though policy denies them, because of audit mode. They count as passed, too.
pub const AUDITED: u32 = 62;
/// Index of the counter of records that found the ring buffer full.
pub const LOST_RECORDS: u32 = 63;

/// Leaf bytes: what a decision table answers. Every other value drops as [`LEAF_DENY`] does, so that a zeroed table denies.
pub const LEAF_DENY: u8 = 0;
/// The flow passes.
pub const LEAF_ALLOW: u8 = 1;
/// The flow would go to a listener; dropped with `no-proxy` until one is attached.
pub const LEAF_REDIRECT: u8 = 2;
/// The flow needs authentication; dropped with `auth-required` until there is a session.
pub const LEAF_AUTH: u8 = 3;

/// Peer numbers that programs know by themselves. The others mean what the node's compiler says.
pub mod peer {
    /// An address inside the cluster's ranges that nobody owns.
    pub const UNKNOWN: u32 = 0;
    /// The node itself. A packet that was not made on the node and claims this peer is taken for the world.
    pub const HOST: u32 = 1;
    /// IPv4 outside the cluster.
    pub const WORLD4: u32 = 2;
    /// IPv6 outside the cluster.
    pub const WORLD6: u32 = 3;
}

/// The value of `tg_config`.
pub mod config {
    /// Bytes of the value.
    pub const SIZE: u32 = 64;
    /// `u32` of [`RECORD_ALLOWED`], [`RECORD_DROPPED`] and [`AUDIT`].
    pub const FLAGS: u32 = 0;
    /// `u32`, jiffies an answered TCP connection lives without a packet.
    pub const TCP_ESTABLISHED: u32 = 4;
    /// `u32`, jiffies an unanswered TCP connection lives.
    pub const TCP_SYN: u32 = 8;
    /// `u32`, jiffies a TCP connection lives after both FIN or a RST.
    pub const TCP_CLOSING: u32 = 12;
    /// `u32`, jiffies any other flow lives.
    pub const OTHER: u32 = 16;
    /// `u32` secret that seeds the hash of connections.
    pub const SEED: u32 = 20;
    /// `u32` peer number of IPv6 addresses that no table names.
    pub const DEFAULT_PEER6: u32 = 24;
    /// A flag: write a record for each first packet of an allowed flow.
    pub const RECORD_ALLOWED: u32 = 1;
    /// A flag: write a record for each dropped packet.
    pub const RECORD_DROPPED: u32 = 2;
    /// A flag: let pass what policy denies, and say so where a drop would be recorded. What is dropped for other reasons stays dropped.
    pub const AUDIT: u32 = 4;
}

/// One slot of `tg_endpoints`. A packet's slot is `(ifindex + i) & mask` for the first i in 0..[`PROBES`](endpoint::PROBES) whose ifindex agrees.
pub mod endpoint {
    /// Bytes of a slot.
    pub const SIZE: u32 = 64;
    /// How many neighbouring slots are tried.
    pub const PROBES: u32 = 4;
    /// `u32` interface index of the host side; 0 is an empty slot.
    pub const IFINDEX: u32 = 0;
    /// `u32` endpoint number, below [`NODE`], unique on the node.
    pub const ID: u32 = 4;
    /// 4 bytes, the endpoint's IPv4 address; zero for none.
    pub const ADDRESS4: u32 = 8;
    /// 16 bytes, the endpoint's IPv6 address; zero for none.
    pub const ADDRESS6: u32 = 16;
    /// 6 bytes, the endpoint's link-layer address; zero when unknown.
    pub const MAC: u32 = 32;
    /// The number of the node itself, which has no slot: that of its connections and records.
    pub const NODE: u16 = u16::MAX;
}

/// Keys and values of `tg_own`, the addresses of the node itself.
pub mod own {
    /// Bytes of a key: an IPv6 address, or an IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2).
    pub const KEY_SIZE: u32 = 16;
    /// Bytes of a value: `u32` 1.
    pub const VALUE_SIZE: u32 = 4;
    /// How many addresses a node has at most.
    pub const ENTRIES: u32 = 1024;
}

/// One entry of `tg_track4`: 16 bytes of key, 8 of state, 8 of statistics.
///
/// `a` is the lesser of (address, port) compared as the big-endian numbers that they are in the packet; ICMP queries use
/// (identifier, 0): the asking side's port is the identifier.
pub mod track4 {
    /// Bytes of an entry.
    pub const SIZE: u32 = 32;
    /// 4 bytes, address a.
    pub const ADDRESS_A: u32 = 0;
    /// 4 bytes, address b.
    pub const ADDRESS_B: u32 = 4;
    /// 2 bytes, port a.
    pub const PORT_A: u32 = 8;
    /// 2 bytes, port b.
    pub const PORT_B: u32 = 10;
    /// 1 byte, IP protocol.
    pub const PROTOCOL: u32 = 12;
    /// `u16`, endpoint number; the byte before it is zero.
    pub const ENDPOINT: u32 = 14;
    /// `u64` state word, see [`super::state`].
    pub const STATE: u32 = 16;
    /// `u64` packets seen, both ways.
    pub const PACKETS: u32 = 24;
}

/// One entry of `tg_track6`: 40 bytes of key, 8 of state, 8 of statistics, 8 unused.
pub mod track6 {
    /// Bytes of an entry.
    pub const SIZE: u32 = 64;
    /// 16 bytes, address a.
    pub const ADDRESS_A: u32 = 0;
    /// 16 bytes, address b.
    pub const ADDRESS_B: u32 = 16;
    /// 2 bytes, port a.
    pub const PORT_A: u32 = 32;
    /// 2 bytes, port b.
    pub const PORT_B: u32 = 34;
    /// 1 byte, IP protocol.
    pub const PROTOCOL: u32 = 36;
    /// `u16`, endpoint number; the byte before it is zero.
    pub const ENDPOINT: u32 = 38;
    /// `u64` state word, see [`super::state`].
    pub const STATE: u32 = 40;
    /// `u64` packets seen, both ways.
    pub const PACKETS: u32 = 48;
}

/// The state word of a tracked connection: `flags << 32 | last seen`, `last seen` being the low 32 bits of jiffies.
///
/// The word is replaced by compare-and-exchange, or by what is one under a [lock]; a writer that changes the key sets [`BUSY`](state::BUSY) first, and a reader that
/// meets it, or sees the word change while comparing the key, takes the entry for somebody else's. Zero is a free entry.
pub mod state {
    /// The entry holds a connection.
    pub const LIVE: u32 = 1;
    /// The key is being written.
    pub const BUSY: u32 = 2;
    /// The endpoint itself opened the connection; else its peer did.
    pub const OPENED_BY_ENDPOINT: u32 = 4;
    /// A packet was seen in the other direction.
    pub const ANSWERED: u32 = 8;
    /// FIN seen from the opener.
    pub const FIN_OPENER: u32 = 16;
    /// FIN seen from the other side.
    pub const FIN_OTHER: u32 = 32;
    /// RST seen.
    pub const RESET: u32 = 64;
    /// The connection is TCP, so its lifetimes are those of TCP.
    pub const TCP: u32 = 128;
    /// A packet of the live connection passed only because of audit mode, and that was recorded.
    pub const AUDITED: u32 = 256;
    /// The lowest bit of a 16-bit generation that changes whenever the entry is taken over, so that a reader notices.
    pub const GENERATION_SHIFT: u32 = 16;
}

/// Values of `tg_locks`. Sets of both connection tables share a lock when the lowest bits of their numbers are equal.
pub mod lock {
    /// Bytes of a value: a line of the cache, of which the first four bytes are the lock. Nobody but the kernel touches them.
    pub const SIZE: u32 = 64;
    /// How many locks there are: a power of two.
    pub const COUNT: u32 = 1024;
}

/// Keys and values of `tg_fragments`.
pub mod fragment {
    /// Bytes of a key.
    pub const KEY_SIZE: u32 = 40;
    /// 16 bytes, source (IPv4: first 4 bytes, rest zero).
    pub const SOURCE: u32 = 0;
    /// 16 bytes, destination.
    pub const DESTINATION: u32 = 16;
    /// 4 bytes, fragment identification as in the packet (IPv4: 2 bytes, then zero).
    pub const IDENTIFICATION: u32 = 32;
    /// 1 byte, IP protocol.
    pub const PROTOCOL: u32 = 36;
    /// 1 byte, 4 or 6; the two bytes after it are zero.
    pub const FAMILY: u32 = 37;
    /// Bytes of a value: source and destination port as in the packet.
    pub const VALUE_SIZE: u32 = 4;
}

/// One record of `tg_records`.
pub mod record {
    /// Bytes of a record.
    pub const SIZE: u32 = 80;
    /// `u64`, `CLOCK_MONOTONIC` nanoseconds.
    pub const TIME: u32 = 0;
    /// 8 bytes, first half of the image digest.
    pub const DIGEST: u32 = 8;
    /// `u32`, interface.
    pub const IFINDEX: u32 = 16;
    /// `u32`, endpoint number; 0 before the endpoint is known.
    pub const ENDPOINT: u32 = 20;
    /// `u32`, peer number.
    pub const PEER: u32 = 24;
    /// `u32`, L4 key: protocol, then port or ICMP type and code.
    pub const L4_KEY: u32 = 28;
    /// `u32`, leaf: `column * classes + class`; [`NO_LEAF`] when the packet did not reach a decision.
    pub const LEAF: u32 = 32;
    /// 1 byte, number of the drop reason; 0 for allowed.
    pub const REASON: u32 = 36;
    /// 1 byte, 0 towards the endpoint, 1 from it.
    pub const DIRECTION: u32 = 37;
    /// 1 byte, 4, 6, or 0 when it is neither.
    pub const FAMILY: u32 = 38;
    /// 1 byte, 1 for a packet that passed all the same, because of audit mode.
    pub const AUDITED: u32 = 39;
    /// 16 bytes, source (IPv4: first 4 bytes).
    pub const SOURCE: u32 = 40;
    /// 16 bytes, destination.
    pub const DESTINATION: u32 = 56;
    /// 2 bytes, source port as in the packet.
    pub const SOURCE_PORT: u32 = 72;
    /// 2 bytes, destination port as in the packet.
    pub const DESTINATION_PORT: u32 = 74;
    /// `u32`, bytes of the packet.
    pub const LENGTH: u32 = 76;
    /// The leaf of a packet that was never decided.
    pub const NO_LEAF: u32 = u32::MAX;
}
