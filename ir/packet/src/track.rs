//! The state: connections and the ports of first fragments.

use crate::parse::{Flags, Packet, Tuple};
use crate::settings::Settings;
use flow::{Direction, Family, Protocol};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How long connections live without a packet. Units: those of the time that [`crate::step()`] is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Answered TCP.
    pub established: u64,
    /// Unanswered TCP.
    pub opening: u64,
    /// TCP after a reset or after FIN from both sides.
    pub closing: u64,
    /// Anything else.
    pub other: u64,
}

impl Lifetimes {
    /// 8000, 60, 10 and 60 seconds of this many ticks each.
    pub fn with_ticks(ticks_per_second: u64) -> Lifetimes {
        let seconds = |n: u64| n * ticks_per_second;
        Lifetimes { established: seconds(8000), opening: seconds(60), closing: seconds(10), other: seconds(60) }
    }
}

/// Which connection: an endpoint's, and both sides in order, the lesser (address, port) first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The endpoint's number; two endpoints never share a connection.
    pub endpoint: u16,
    /// The lesser side.
    pub a: (IpAddr, u16),
    /// The greater side.
    pub b: (IpAddr, u16),
    /// IP protocol.
    pub protocol: Protocol,
}

impl Key {
    /// The key of a tuple, the same for both directions.
    pub fn new(endpoint: u16, tuple: &Tuple) -> Key {
        let (a, b) = (tuple.source.min(tuple.destination), tuple.source.max(tuple.destination));
        Key { endpoint, a, b, protocol: tuple.protocol }
    }
}

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The direction of its first packet.
    pub opened: Direction,
    /// Whether the other side was heard.
    pub answered: bool,
    /// FIN from the opener.
    pub fin_opener: bool,
    /// FIN from the other side.
    pub fin_other: bool,
    /// RST from either.
    pub reset: bool,
    /// The time of its last packet.
    pub last_seen: u64,
    /// Packets, both ways.
    pub packets: u64,
}

impl Connection {
    /// Whether it ends: rule 17.
    pub fn is_closing(&self) -> bool {
        self.reset || self.fin_opener && self.fin_other
    }

    fn lifetime(&self, protocol: Protocol, lifetimes: &Lifetimes) -> u64 {
        match protocol {
            Protocol::TCP if self.is_closing() => lifetimes.closing,
            Protocol::TCP if self.answered => lifetimes.established,
            Protocol::TCP => lifetimes.opening,
            _ => lifetimes.other,
        }
    }

    /// Notes a packet that passes.
    pub(crate) fn touch(&mut self, direction: Direction, flags: Flags, now: u64) {
        let from_opener = direction == self.opened;
        self.answered |= !from_opener;
        self.fin_opener |= from_opener && flags.has(Flags::FIN);
        self.fin_other |= !from_opener && flags.has(Flags::FIN);
        self.reset |= flags.has(Flags::RST);
        self.last_seen = now;
        self.packets += 1;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FragmentKey {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    protocol: Protocol,
}

/// Everything that is remembered between packets, of all endpoints of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    lifetimes: Lifetimes,
    connections: BTreeMap<Key, Connection>,
    fragments: BTreeMap<FragmentKey, (u16, u16)>,
    settings: Settings,
}

impl Track {
    /// Nothing yet.
    pub fn new(lifetimes: Lifetimes) -> Track {
        Track { lifetimes, connections: BTreeMap::new(), fragments: BTreeMap::new(), settings: Settings::default() }
    }

    /// Makes these the settings of the node; what is remembered stays.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The settings of the node.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The live connection of a tuple: rule 16.
    pub fn find(&self, key: &Key, now: u64) -> Option<&Connection> {
        let connection = self.connections.get(key)?;
        let age = now.saturating_sub(connection.last_seen);
        (age <= connection.lifetime(key.protocol, &self.lifetimes)).then_some(connection)
    }

    /// All connections, by key; those beyond their lifetime included until [`Track::sweep`].
    pub fn connections(&self) -> impl Iterator<Item = (&Key, &Connection)> {
        self.connections.iter()
    }

    /// Forgets what is beyond its lifetime. Changes no outcome.
    pub fn sweep(&mut self, now: u64) {
        let dead = |key: &Key| self.find(key, now).is_none();
        let keys: Vec<Key> = self.connections.keys().copied().filter(dead).collect();
        for key in keys {
            self.connections.remove(&key);
        }
    }

    pub(crate) fn open(&mut self, key: Key, direction: Direction, flags: Flags, now: u64) {
        let mut connection = Connection {
            opened: direction,
            answered: false,
            fin_opener: false,
            fin_other: false,
            reset: false,
            last_seen: now,
            packets: 0,
        };
        connection.touch(direction, flags, now);
        self.connections.insert(key, connection);
    }

    pub(crate) fn touch(&mut self, key: &Key, direction: Direction, flags: Flags, now: u64) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.touch(direction, flags, now);
        }
    }

    /// The ports of a fragment: rules 11 and 28. `None` for a later one without a first.
    pub(crate) fn ports_of_fragment(&mut self, packet: &Packet, ports: Option<(u16, u16)>) -> Option<(u16, u16)> {
        let Some(part) = packet.fragment else { return ports };
        if !self.settings.tracks_fragments(Family::of(packet.source)) {
            return ports.or(Some((0, 0)));
        }
        let key = FragmentKey {
            source: packet.source,
            destination: packet.destination,
            identification: part.identification,
            protocol: packet.protocol,
        };
        match ports {
            Some(ports) => {
                self.fragments.insert(key, ports);
                Some(ports)
            }
            None => self.fragments.get(&key).copied(),
        }
    }
}
