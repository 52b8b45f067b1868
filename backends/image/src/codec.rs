//! Encodes and decodes what user space stores in node maps and reads from them, so that all who do so agree on every byte.
//!
//! ```text
//!  Config, Endpoint, prefix keys ──encode──► bytes of a map ──decode──► Endpoint, Connection, Record
//! ```
//! Units: integers in the target's byte order, addresses and ports in network order, as [`crate::layout`] says. All functions are
//! pure: whether the bytes live in the kernel or in a simulation is their owner's business.

use crate::layout::{self, config, endpoint, fragment, record, state, track4, track6};
use crate::target::Target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads a `u16` in the target's byte order. Errors: zero beyond the end.
pub fn get_u16(target: &Target, bytes: &[u8], at: u32) -> u16 {
    let raw = take(bytes, at);
    if target.little_endian { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) }
}

/// Reads a `u32` in the target's byte order. Errors: zero beyond the end.
pub fn get_u32(target: &Target, bytes: &[u8], at: u32) -> u32 {
    let raw = take(bytes, at);
    if target.little_endian { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
}

/// Reads a `u64` in the target's byte order. Errors: zero beyond the end.
pub fn get_u64(target: &Target, bytes: &[u8], at: u32) -> u64 {
    let raw = take(bytes, at);
    if target.little_endian { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) }
}

/// A `u16` in the target's byte order.
pub fn put_u16(target: &Target, value: u16) -> [u8; 2] {
    if target.little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
}

/// A `u32` in the target's byte order.
pub fn put_u32(target: &Target, value: u32) -> [u8; 4] {
    if target.little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
}

/// A `u64` in the target's byte order.
pub fn put_u64(target: &Target, value: u64) -> [u8; 8] {
    if target.little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
}

/// Words as the bytes of a map value; for [`crate::address::Address4::words`].
pub fn put_words(target: &Target, words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|&word| put_u32(target, word)).collect()
}

fn take<const N: usize>(bytes: &[u8], at: u32) -> [u8; N] {
    let at = at as usize;
    bytes.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or([0; N])
}

fn set(bytes: &mut [u8], at: u32, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at as usize..).and_then(|rest| rest.get_mut(..value.len())) {
        place.copy_from_slice(value);
    }
}

/// The value of `tg_config`. Units: lifetimes in jiffies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// [`config::RECORD_ALLOWED`], [`config::RECORD_DROPPED`] and [`config::AUDIT`].
    pub flags: u32,
    /// An answered TCP connection without a packet.
    pub tcp_established: u32,
    /// An unanswered TCP connection.
    pub tcp_syn: u32,
    /// A TCP connection after both FIN or a RST.
    pub tcp_closing: u32,
    /// Any other flow.
    pub other: u32,
    /// Secret of the connection hash.
    pub seed: u32,
    /// Peer number of IPv6 addresses that no table names.
    pub default_peer6: u32,
}

impl Config {
    /// The default lifetimes (8000, 60, 10 and 60 seconds) on a kernel with `hz` jiffies a second; both kinds of record are written,
    /// unnamed IPv6 addresses are the world.
    pub fn new(hz: u32, seed: u32) -> Config {
        Config {
            flags: config::RECORD_ALLOWED | config::RECORD_DROPPED,
            tcp_established: hz.saturating_mul(8000),
            tcp_syn: hz.saturating_mul(60),
            tcp_closing: hz.saturating_mul(10),
            other: hz.saturating_mul(60),
            seed,
            default_peer6: layout::peer::WORLD6,
        }
    }

    /// The bytes of the map's value.
    pub fn encode(&self, target: &Target) -> [u8; config::SIZE as usize] {
        let mut bytes = [0; config::SIZE as usize];
        for (at, value) in [
            (config::FLAGS, self.flags),
            (config::TCP_ESTABLISHED, self.tcp_established),
            (config::TCP_SYN, self.tcp_syn),
            (config::TCP_CLOSING, self.tcp_closing),
            (config::OTHER, self.other),
            (config::SEED, self.seed),
            (config::DEFAULT_PEER6, self.default_peer6),
        ] {
            set(&mut bytes, at, &put_u32(target, value));
        }
        bytes
    }

    /// Reads the map's value back. Errors: missing bytes read as zero.
    pub fn decode(target: &Target, bytes: &[u8]) -> Config {
        let word = |at| get_u32(target, bytes, at);
        Config {
            flags: word(config::FLAGS),
            tcp_established: word(config::TCP_ESTABLISHED),
            tcp_syn: word(config::TCP_SYN),
            tcp_closing: word(config::TCP_CLOSING),
            other: word(config::OTHER),
            seed: word(config::SEED),
            default_peer6: word(config::DEFAULT_PEER6),
        }
    }
}

/// One slot of `tg_endpoints`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Interface index of the host side, never 0.
    pub ifindex: u32,
    /// Number of the endpoint, 1 to below [`endpoint::NODE`], unique on the node.
    pub id: u16,
    /// Its IPv4 address, if any.
    pub address4: Option<Ipv4Addr>,
    /// Its IPv6 address, if any.
    pub address6: Option<Ipv6Addr>,
    /// Its link-layer address, if known.
    pub mac: Option<[u8; 6]>,
}

/// All slots that an interface may use are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no endpoint slot is free for interface {ifindex}")]
pub struct NoSlot {
    /// The interface.
    pub ifindex: u32,
}

impl Endpoint {
    /// The bytes of a slot.
    pub fn encode(&self, target: &Target) -> [u8; endpoint::SIZE as usize] {
        let mut bytes = [0; endpoint::SIZE as usize];
        set(&mut bytes, endpoint::IFINDEX, &put_u32(target, self.ifindex));
        set(&mut bytes, endpoint::ID, &put_u32(target, u32::from(self.id)));
        set(&mut bytes, endpoint::ADDRESS4, &self.address4.map_or([0; 4], |address| address.octets()));
        set(&mut bytes, endpoint::ADDRESS6, &self.address6.map_or([0; 16], |address| address.octets()));
        set(&mut bytes, endpoint::MAC, &self.mac.unwrap_or_default());
        bytes
    }

    /// Reads a slot; `None` for an empty one.
    pub fn decode(target: &Target, bytes: &[u8]) -> Option<Endpoint> {
        let ifindex = get_u32(target, bytes, endpoint::IFINDEX);
        let present = |address: &Ipv4Addr| !address.is_unspecified();
        (ifindex != 0).then(|| Endpoint {
            ifindex,
            id: get_u32(target, bytes, endpoint::ID) as u16,
            address4: Some(Ipv4Addr::from(take::<4>(bytes, endpoint::ADDRESS4))).filter(present),
            address6: Some(Ipv6Addr::from(take::<16>(bytes, endpoint::ADDRESS6))).filter(|a| !a.is_unspecified()),
            mac: Some(take::<6>(bytes, endpoint::MAC)).filter(|mac| *mac != [0; 6]),
        })
    }

    /// The byte offsets of the slots that an interface may use, in the order in which programs try them.
    pub fn slots(target: &Target, ifindex: u32) -> impl Iterator<Item = usize> {
        let mask = (1u32 << target.endpoints_log2) - 1;
        (0..endpoint::PROBES).map(move |i| (ifindex.wrapping_add(i) & mask) as usize * endpoint::SIZE as usize)
    }

    /// The offset of an interface's slot in the bytes of the map, if it has one.
    pub fn find(target: &Target, table: &[u8], ifindex: u32) -> Option<usize> {
        Endpoint::slots(target, ifindex)
            .find(|&at| ifindex != 0 && get_u32(target, table.get(at..).unwrap_or_default(), 0) == ifindex)
    }

    /// The offset at which an interface's slot is to be written: its own, or else the first empty one.
    ///
    /// Errors: [`NoSlot`] when all are taken; the caller refuses the endpoint, since its packets would drop with `no-endpoint`.
    pub fn place(target: &Target, table: &[u8], ifindex: u32) -> Result<usize, NoSlot> {
        Endpoint::find(target, table, ifindex)
            .or_else(|| {
                Endpoint::slots(target, ifindex)
                    .find(|&at| ifindex != 0 && get_u32(target, table.get(at..).unwrap_or(&[1; 4]), 0) == 0)
            })
            .ok_or(NoSlot { ifindex })
    }
}

/// The key of `tg_address6`.
pub fn encode_address6(address: Ipv6Addr) -> [u8; 16] {
    address.octets()
}

/// The key of `tg_own`.
pub fn encode_own(address: IpAddr) -> [u8; layout::own::KEY_SIZE as usize] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address that a key of `tg_own` stands for.
pub fn decode_own(key: &[u8]) -> Option<IpAddr> {
    let address = Ipv6Addr::from(*key.first_chunk::<16>()?);
    Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
}

/// The key of `tg_prefix6`: the prefix length in bits (at most 128) as `u32`, then the address without its host bits.
pub fn encode_prefix6(target: &Target, address: Ipv6Addr, len: u8) -> [u8; 20] {
    let len = u32::from(len.min(128));
    let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
    let mut key = [0; 20];
    set(&mut key, 0, &put_u32(target, len));
    set(&mut key, 4, &(u128::from(address) & mask).to_be_bytes());
    key
}

/// The fields of a `tg_fragments` key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentKey {
    /// Who sent the packet.
    pub source: IpAddr,
    /// Whom it is for; of the same family.
    pub destination: IpAddr,
    /// Fragment identification, host order (16 bits for IPv4).
    pub identification: u32,
    /// IP protocol.
    pub protocol: u8,
}

impl FragmentKey {
    /// The bytes of the key.
    pub fn encode(&self) -> [u8; fragment::KEY_SIZE as usize] {
        let mut key = [0; fragment::KEY_SIZE as usize];
        put_address(&mut key, fragment::SOURCE, self.source);
        put_address(&mut key, fragment::DESTINATION, self.destination);
        key[fragment::PROTOCOL as usize] = self.protocol;
        if self.source.is_ipv4() {
            set(&mut key, fragment::IDENTIFICATION, &(self.identification as u16).to_be_bytes());
            key[fragment::FAMILY as usize] = 4;
        } else {
            set(&mut key, fragment::IDENTIFICATION, &self.identification.to_be_bytes());
            key[fragment::FAMILY as usize] = 6;
        }
        key
    }
}

fn put_address(bytes: &mut [u8], at: u32, address: IpAddr) {
    match address {
        IpAddr::V4(address) => set(bytes, at, &address.octets()),
        IpAddr::V6(address) => set(bytes, at, &address.octets()),
    }
}

fn get_address(bytes: &[u8], at: u32, family: u8) -> Option<IpAddr> {
    match family {
        4 => Some(IpAddr::V4(take::<4>(bytes, at).into())),
        6 => Some(IpAddr::V6(take::<16>(bytes, at).into())),
        _ => None,
    }
}

/// One tracked connection. The side `a` is the lesser (address, port).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Number of the endpoint whose hook tracks it.
    pub endpoint: u16,
    /// IP protocol.
    pub protocol: u8,
    /// The lesser side and its port.
    pub a: (IpAddr, u16),
    /// The greater side and its port.
    pub b: (IpAddr, u16),
    /// The flags of [`state`].
    pub flags: u32,
    /// Low 32 bits of jiffies at the last packet.
    pub last_seen: u32,
    /// Packets, both ways.
    pub packets: u64,
}

impl Connection {
    /// Reads one entry of `tg_track4`; `None` when it holds no connection or is being written.
    pub fn decode4(target: &Target, bytes: &[u8]) -> Option<Connection> {
        let (flags, last_seen) = live_state(target, bytes, track4::STATE)?;
        Some(Connection {
            endpoint: get_u16(target, bytes, track4::ENDPOINT),
            protocol: take::<1>(bytes, track4::PROTOCOL)[0],
            a: (get_address(bytes, track4::ADDRESS_A, 4)?, u16::from_be_bytes(take(bytes, track4::PORT_A))),
            b: (get_address(bytes, track4::ADDRESS_B, 4)?, u16::from_be_bytes(take(bytes, track4::PORT_B))),
            flags,
            last_seen,
            packets: get_u64(target, bytes, track4::PACKETS),
        })
    }

    /// Reads one entry of `tg_track6`, likewise.
    pub fn decode6(target: &Target, bytes: &[u8]) -> Option<Connection> {
        let (flags, last_seen) = live_state(target, bytes, track6::STATE)?;
        Some(Connection {
            endpoint: get_u16(target, bytes, track6::ENDPOINT),
            protocol: take::<1>(bytes, track6::PROTOCOL)[0],
            a: (get_address(bytes, track6::ADDRESS_A, 6)?, u16::from_be_bytes(take(bytes, track6::PORT_A))),
            b: (get_address(bytes, track6::ADDRESS_B, 6)?, u16::from_be_bytes(take(bytes, track6::PORT_B))),
            flags,
            last_seen,
            packets: get_u64(target, bytes, track6::PACKETS),
        })
    }

    /// All connections in the bytes of `tg_track4`, in table order.
    pub fn all4(target: &Target, table: &[u8]) -> Vec<Connection> {
        table.chunks_exact(track4::SIZE as usize).filter_map(|entry| Connection::decode4(target, entry)).collect()
    }

    /// All connections in the bytes of `tg_track6`, in table order.
    pub fn all6(target: &Target, table: &[u8]) -> Vec<Connection> {
        table.chunks_exact(track6::SIZE as usize).filter_map(|entry| Connection::decode6(target, entry)).collect()
    }

    /// Whether the endpoint opened it; else its peer did.
    pub fn opened_by_endpoint(&self) -> bool {
        self.flags & state::OPENED_BY_ENDPOINT != 0
    }
}

fn live_state(target: &Target, bytes: &[u8], at: u32) -> Option<(u32, u32)> {
    let word = get_u64(target, bytes, at);
    let flags = (word >> 32) as u32;
    (flags & state::LIVE != 0 && flags & state::BUSY == 0).then_some((flags, word as u32))
}

/// One record of `tg_records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// `CLOCK_MONOTONIC` nanoseconds.
    pub time: u64,
    /// First half of the image digest.
    pub digest: [u8; 8],
    /// Interface.
    pub ifindex: u32,
    /// Endpoint number; 0 before the endpoint is known.
    pub endpoint: u32,
    /// Peer number.
    pub peer: u32,
    /// L4 key: protocol, then port or ICMP type and code.
    pub l4_key: u32,
    /// Leaf; `None` when the packet did not reach a decision.
    pub leaf: Option<u32>,
    /// Number of the drop reason ([`crate::DropReason::from_number`]); 0 for allowed.
    pub reason: u8,
    /// Whether the packet passed all the same, because of audit mode.
    pub audited: bool,
    /// Whether the packet came from the endpoint; else it went towards it.
    pub from_endpoint: bool,
    /// Source and destination; `None` for a packet that is neither IPv4 nor IPv6.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Bytes of the packet.
    pub length: u32,
}

impl Record {
    /// Reads a record; `None` when there are fewer than [`record::SIZE`] bytes.
    pub fn decode(target: &Target, bytes: &[u8]) -> Option<Record> {
        let bytes = bytes.get(..record::SIZE as usize)?;
        let word = |at| get_u32(target, bytes, at);
        let byte = |at: u32| bytes[at as usize];
        let address = |at| get_address(bytes, at, byte(record::FAMILY));
        Some(Record {
            time: get_u64(target, bytes, record::TIME),
            digest: take(bytes, record::DIGEST),
            ifindex: word(record::IFINDEX),
            endpoint: word(record::ENDPOINT),
            peer: word(record::PEER),
            l4_key: word(record::L4_KEY),
            leaf: Some(word(record::LEAF)).filter(|&leaf| leaf != record::NO_LEAF),
            reason: byte(record::REASON),
            audited: byte(record::AUDITED) != 0,
            from_endpoint: byte(record::DIRECTION) != 0,
            addresses: address(record::SOURCE).zip(address(record::DESTINATION)),
            source_port: u16::from_be_bytes(take(bytes, record::SOURCE_PORT)),
            destination_port: u16::from_be_bytes(take(bytes, record::DESTINATION_PORT)),
            length: word(record::LENGTH),
        })
    }

    /// The bytes of the record.
    pub fn encode(&self, target: &Target) -> [u8; record::SIZE as usize] {
        let mut bytes = [0; record::SIZE as usize];
        set(&mut bytes, record::TIME, &put_u64(target, self.time));
        set(&mut bytes, record::DIGEST, &self.digest);
        for (at, value) in [
            (record::IFINDEX, self.ifindex),
            (record::ENDPOINT, self.endpoint),
            (record::PEER, self.peer),
            (record::L4_KEY, self.l4_key),
            (record::LEAF, self.leaf.unwrap_or(record::NO_LEAF)),
            (record::LENGTH, self.length),
        ] {
            set(&mut bytes, at, &put_u32(target, value));
        }
        bytes[record::REASON as usize] = self.reason;
        bytes[record::DIRECTION as usize] = u8::from(self.from_endpoint);
        bytes[record::AUDITED as usize] = u8::from(self.audited);
        if let Some((source, destination)) = self.addresses {
            bytes[record::FAMILY as usize] = if source.is_ipv4() { 4 } else { 6 };
            put_address(&mut bytes, record::SOURCE, source);
            put_address(&mut bytes, record::DESTINATION, destination);
        }
        set(&mut bytes, record::SOURCE_PORT, &self.source_port.to_be_bytes());
        set(&mut bytes, record::DESTINATION_PORT, &self.destination_port.to_be_bytes());
        bytes
    }
}

/// The packet counters in the bytes of `tg_counters`, by index: 0 passed, drop reasons by number, [`layout::AUDITED`],
/// [`layout::LOST_RECORDS`].
pub fn decode_counters(target: &Target, bytes: &[u8]) -> [u64; layout::COUNTERS as usize] {
    std::array::from_fn(|i| get_u64(target, bytes, i as u32 * 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> [Target; 2] {
        [true, false].map(|little_endian| Target { little_endian, endpoints_log2: 3, ..Target::default() })
    }

    fn endpoint(ifindex: u32) -> Endpoint {
        Endpoint {
            ifindex,
            id: 515,
            address4: Some(Ipv4Addr::new(10, 0, 1, 9)),
            address6: Some("fd00::9".parse().unwrap()),
            mac: None,
        }
    }

    #[test]
    fn what_is_encoded_reads_back_in_both_byte_orders() {
        for target in targets() {
            let config = Config { flags: 1, ..Config::new(1000, 77) };
            assert_eq!(Config::decode(&target, &config.encode(&target)), config);
            assert_eq!(Endpoint::decode(&target, &endpoint(9).encode(&target)), Some(endpoint(9)));
            let record = Record {
                time: 1 << 40,
                digest: [7; 8],
                ifindex: 3,
                endpoint: 4,
                peer: 5,
                l4_key: 6 << 16 | 80,
                leaf: None,
                reason: 1,
                audited: true,
                from_endpoint: true,
                addresses: Some(("fd00::9".parse().unwrap(), "fd00::1".parse().unwrap())),
                source_port: 4000,
                destination_port: 80,
                length: 60,
            };
            assert_eq!(Record::decode(&target, &record.encode(&target)), Some(record));
            assert_eq!(Record::decode(&target, &record.encode(&target)[..79]), None);
        }
    }

    #[test]
    fn ports_stand_in_network_order_whatever_the_target() {
        for target in targets() {
            let mut entry = [0; track4::SIZE as usize];
            set(&mut entry, track4::ADDRESS_A, &[10, 0, 1, 4]);
            set(&mut entry, track4::PORT_A, &[0x12, 0x34]);
            set(&mut entry, track4::STATE, &put_u64(&target, u64::from(state::LIVE) << 32 | 99));
            let connection = Connection::decode4(&target, &entry).unwrap();
            assert_eq!(connection.a, ("10.0.1.4".parse().unwrap(), 0x1234));
            assert_eq!((connection.flags, connection.last_seen), (state::LIVE, 99));
        }
    }

    #[test]
    fn an_interface_gets_one_of_its_four_slots_and_keeps_it() {
        let target = &targets()[0];
        let mut table = vec![0; (endpoint::SIZE << target.endpoints_log2) as usize];
        // All four want slot 7 of 8 first; the later ones wrap round.
        let mut places = Vec::new();
        for ifindex in [7, 15, 23, 31] {
            let at = Endpoint::place(target, &table, ifindex).unwrap();
            set(&mut table, at as u32, &endpoint(ifindex).encode(target));
            places.push(at / 64);
        }
        assert_eq!(places, [7, 0, 1, 2]);
        assert_eq!(Endpoint::place(target, &table, 39), Err(NoSlot { ifindex: 39 }));
        // Programs try all four slots, so an emptied one hides nobody behind it.
        set(&mut table, 0, &[0; 64]);
        assert_eq!(Endpoint::find(target, &table, 31), Some(2 * 64));
        assert_eq!(Endpoint::place(target, &table, 39), Ok(0));
        assert_eq!(Endpoint::find(target, &table, 0), None);
    }

    #[test]
    fn a_prefix_key_has_no_host_bits() {
        let target = Target { little_endian: false, ..Target::default() };
        let key = encode_prefix6(&target, "fd00:1:2:3ff::9".parse().unwrap(), 56);
        assert_eq!(key[..12], [0, 0, 0, 56, 0xfd, 0, 0, 1, 0, 2, 3, 0]);
        assert_eq!(key[12..], [0; 8]);
        assert_eq!(encode_prefix6(&target, "::1".parse().unwrap(), 0), [0; 20]);
    }
}
