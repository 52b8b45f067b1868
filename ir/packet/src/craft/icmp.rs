//! ICMP of both families: echoes, errors, neighbour discovery.

use super::{Address, Frame};
use std::net::{IpAddr, Ipv6Addr};

/// How much of a packet an error repeats: enough for any header, less than any smallest MTU.
const REPEATED: usize = 512;

/// Which half of an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The question.
    Request,
    /// The answer.
    Reply,
}

impl Frame {
    /// An ICMP message of the family, with the four bytes that follow its checksum and what follows them.
    pub fn icmp(
        source: impl Address,
        destination: impl Address,
        kind: u8,
        code: u8,
        rest: [u8; 4],
        content: &[u8],
    ) -> Frame {
        let source = source.address();
        let protocol = if source.is_ipv4() { 1 } else { 58 };
        let segment = [&[kind, code, 0, 0], &rest[..], content].concat();
        Frame::ip(source, destination, protocol, segment)
    }

    /// An echo request or reply with sequence number 1.
    pub fn icmp_echo(source: impl Address, destination: impl Address, echo: Echo, identifier: u16) -> Frame {
        let source = source.address();
        let kind = match (source.is_ipv4(), echo) {
            (true, Echo::Request) => 8,
            (true, Echo::Reply) => 0,
            (false, Echo::Request) => 128,
            (false, Echo::Reply) => 129,
        };
        let [high, low] = identifier.to_be_bytes();
        Frame::icmp(source, destination, kind, 0, [high, low, 0, 1], b"tidegate")
    }

    /// An error about another packet, whose beginning it repeats.
    pub fn icmp_error(source: impl Address, destination: impl Address, kind: u8, code: u8, about: &Frame) -> Frame {
        let mut repeated = about.build_ip();
        repeated.truncate(REPEATED);
        Frame::icmp(source, destination, kind, code, [0; 4], &repeated)
    }

    /// A message of neighbour discovery with a target and one link-layer address option: 135 asks, 136 answers.
    pub fn neighbour(
        kind: u8,
        source: impl Address,
        destination: impl Address,
        target: Ipv6Addr,
        mac: [u8; 6],
    ) -> Frame {
        // An advertisement is solicited and overrides (RFC 4861, section 4.4); the option is source (1) or target (2).
        let (flags, option) = if kind == 136 { ([0x60, 0, 0, 0], 2) } else { ([0; 4], 1) };
        let content = [&target.octets()[..], &[option, 1], &mac].concat();
        Frame::icmp(source, destination, kind, 0, flags, &content).hop_limit(255)
    }

    /// A message of router discovery: 133 asks, 134 answers.
    pub fn router(kind: u8, source: impl Address, destination: impl Address) -> Frame {
        let lifetimes: &[u8] = if kind == 134 { &[0; 8] } else { &[] };
        Frame::icmp(source, destination, kind, 0, [0; 4], lifetimes).hop_limit(255)
    }
}

/// The solicited-node multicast address of an IPv6 address (RFC 4291, section 2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> IpAddr {
    let [.., a, b, c] = address.octets();
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xff, 0x02]);
    octets[11..].copy_from_slice(&[1, 0xff, a, b, c]);
    IpAddr::V6(Ipv6Addr::from_octets(octets))
}
