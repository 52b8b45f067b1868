//! From bytes to what a frame says. Knows no endpoint and no state.
//!
//! ```text
//!  frame ─┬─ ARP
//!         ├─ IPv4 ─────────────────┬─ transport: ports, queries, errors
//!         └─ IPv6 ─ extensions ────┘
//! ```

mod ip;
mod transport;

use crate::reason::Reason;
use flow::{Family, L4Key, Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A frame that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// ARP. Its content is read only where it matters, by [`Arp::read`].
    Arp(Vec<u8>),
    /// IPv4 or IPv6.
    Ip(Packet),
}

/// A frame that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The source, when the network header was sound.
    pub source: Option<IpAddr>,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Refused {
        Refused { reason, source: None }
    }
}

/// What an IP packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The sender.
    pub source: IpAddr,
    /// The receiver; of the same family.
    pub destination: IpAddr,
    /// TCP, UDP, SCTP, or the ICMP of the family.
    pub protocol: Protocol,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Set when the packet is a part of one.
    pub fragment: Option<Fragment>,
    /// What follows.
    pub body: Body,
}

/// Which part of a packet a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification: 16 bits in IPv4, 32 in IPv6.
    pub identification: u32,
    /// Where it begins, in bytes; a multiple of 8.
    pub offset: u32,
    /// Whether others follow it.
    pub more: bool,
}

/// What follows the network header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// TCP, UDP or SCTP.
    Ports {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// TCP flags; none for the others.
        flags: Flags,
    },
    /// A later fragment: no header.
    Later,
    /// An echo request or reply.
    Query {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier.
        identifier: u16,
        /// Whether it is the request.
        asks: bool,
    },
    /// An ICMP error.
    Error {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// The flow of the packet inside; `None` when it cannot be told.
        inner: Option<Tuple>,
    },
    /// Neighbour discovery, ICMPv6 133 to 137.
    Neighbour {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// The target of a solicitation, an advertisement or a redirect.
        target: Option<Ipv6Addr>,
    },
    /// Any other ICMP message.
    Message {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
}

/// The TCP flags that tracking looks at (RFC 9293, section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Flags = Flags(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Flags = Flags(0x02);
    /// Reset the connection.
    pub const RST: Flags = Flags(0x04);
    /// Acknowledgement.
    pub const ACK: Flags = Flags(0x10);
    /// The answer to a SYN.
    pub const SYN_ACK: Flags = Flags(0x12);

    /// Whether all flags of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the packet wants to open a connection.
    pub fn opens(self) -> bool {
        self.has(Flags::SYN) && !self.has(Flags::ACK)
    }
}

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    /// Address and port of the sender.
    pub source: (IpAddr, u16),
    /// Address and port of the receiver.
    pub destination: (IpAddr, u16),
    /// IP protocol.
    pub protocol: Protocol,
}

impl Packet {
    /// The address family.
    pub fn family(&self) -> Family {
        Family::of(self.source)
    }

    /// The tuple of a packet with ports or of a query.
    pub fn tuple(&self) -> Option<Tuple> {
        let ports = match self.body {
            Body::Ports { source, destination, .. } => (source, destination),
            Body::Query { identifier, asks: true, .. } => (identifier, 0),
            Body::Query { identifier, asks: false, .. } => (0, identifier),
            _ => return None,
        };
        Some(self.tuple_with(ports))
    }

    /// The tuple with ports learnt elsewhere.
    pub fn tuple_with(&self, ports: (u16, u16)) -> Tuple {
        Tuple { source: (self.source, ports.0), destination: (self.destination, ports.1), protocol: self.protocol }
    }

    /// What a policy is asked: the destination port, or ICMP type and code. `None` for a later fragment.
    pub fn key(&self) -> Option<L4Key> {
        match self.body {
            Body::Ports { destination, .. } => Some(L4Key::new(self.protocol, destination)),
            Body::Later => None,
            Body::Query { kind, code, .. }
            | Body::Error { kind, code, .. }
            | Body::Neighbour { kind, code, .. }
            | Body::Message { kind, code } => Some(L4Key::icmp(self.protocol, kind, code)),
        }
    }
}

/// Reads a frame. `tag` is a VLAN tag that travels beside it.
///
/// Errors: [`Refused`] by rules 1, 3, 4, 6, 7, 9 and 10 of the crate.
pub fn parse(bytes: &[u8], tag: Option<u16>) -> Result<Frame, Refused> {
    if tag.is_some() {
        return Err(Reason::Vlan.into());
    }
    let Some((header, rest)) = bytes.split_at_checked(14) else { return Err(Reason::Truncated.into()) };
    match u16::from_be_bytes([header[12], header[13]]) {
        0x0800 => ip::packet4(rest).map(Frame::Ip),
        0x86dd => ip::packet6(rest).map(Frame::Ip),
        0x0806 => Ok(Frame::Arp(rest.to_vec())),
        0x8100 | 0x88a8 => Err(Reason::Vlan.into()),
        _ => Err(Reason::UnknownEtherType.into()),
    }
}

/// The sender of an ARP packet (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Its link-layer address.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub address: Ipv4Addr,
}

impl Arp {
    /// Reads the sender. Errors: [`Reason::Truncated`], [`Reason::MalformedHeader`] for other than Ethernet and IPv4.
    pub fn read(bytes: &[u8]) -> Result<Arp, Reason> {
        let bytes = bytes.get(..28).ok_or(Reason::Truncated)?;
        if bytes[..6] != [0, 1, 8, 0, 6, 4] {
            return Err(Reason::MalformedHeader);
        }
        let mac = std::array::from_fn(|i| bytes[8 + i]);
        Ok(Arp { mac, address: Ipv4Addr::from_octets(std::array::from_fn(|i| bytes[14 + i])) })
    }
}

/// A 16-bit field; `None` beyond the end.
fn field16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// A 32-bit field; `None` beyond the end.
fn field32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}
