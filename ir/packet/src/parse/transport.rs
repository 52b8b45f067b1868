//! What follows the network header: ports, and ICMP (RFC 792, RFC 4443).

use super::ip::{header4, header6};
use super::{Body, Flags, Fragment, Packet, Tuple, field16};
use crate::reason::Reason;
use flow::Protocol;
use std::net::{IpAddr, Ipv6Addr};

/// What the network header said.
pub(super) struct Network {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: Protocol,
    pub(super) hop_limit: u8,
    pub(super) fragment: Option<Fragment>,
}

impl Network {
    /// How many bytes of the next header are needed. Errors: the protocol is unknown in this family.
    fn needed(&self) -> Result<usize, Reason> {
        match self.protocol {
            // Up to the flags.
            Protocol::TCP => Ok(14),
            Protocol::UDP | Protocol::SCTP => Ok(8),
            protocol if protocol == self.icmp() => Ok(8),
            _ => Err(Reason::UnknownProtocol),
        }
    }

    fn icmp(&self) -> Protocol {
        if self.source.is_ipv4() { Protocol::ICMP } else { Protocol::ICMPV6 }
    }
}

/// Rules 7, 9 and 10, then the content.
pub(super) fn transport(network: Network, bytes: &[u8]) -> Result<Packet, Reason> {
    let needed = network.needed()?;
    let is_icmp = network.protocol == network.icmp();
    let body = match network.fragment {
        Some(_) if is_icmp => return Err(Reason::IcmpFragment),
        Some(part) if part.offset == 0 => ports(network.protocol, bytes).ok_or(Reason::FragmentShort)?,
        // Only TCP needs more than the 8 bytes below which no later fragment can begin.
        Some(part) if (part.offset as usize) < needed => return Err(Reason::FragmentShort),
        Some(_) => Body::Later,
        None if is_icmp => icmp(network.protocol, bytes).ok_or(Reason::Truncated)?,
        None => ports(network.protocol, bytes).ok_or(Reason::Truncated)?,
    };
    let Network { source, destination, protocol, hop_limit, fragment } = network;
    Ok(Packet { source, destination, protocol, hop_limit, fragment, body })
}

fn ports(protocol: Protocol, bytes: &[u8]) -> Option<Body> {
    let flags = match protocol {
        Protocol::TCP => Flags(*bytes.get(13)?),
        _ => Flags::default(),
    };
    bytes.get(..8)?;
    Some(Body::Ports { source: field16(bytes, 0)?, destination: field16(bytes, 2)?, flags })
}

fn icmp(protocol: Protocol, bytes: &[u8]) -> Option<Body> {
    let (header, rest) = bytes.split_first_chunk::<8>()?;
    let (kind, code) = (header[0], header[1]);
    let identifier = field16(header, 4)?;
    Some(match (protocol, kind) {
        // A code other than 0 is no echo, and then its identifier names nothing.
        (Protocol::ICMP, 8 | 0) if code == 0 => Body::Query { kind, code, identifier, asks: kind == 8 },
        (Protocol::ICMPV6, 128 | 129) if code == 0 => Body::Query { kind, code, identifier, asks: kind == 128 },
        (Protocol::ICMP, 3 | 11 | 12) | (Protocol::ICMPV6, 1..=4) => {
            Body::Error { kind, code, inner: inner(protocol, rest) }
        }
        (Protocol::ICMPV6, 133..=137) => Body::Neighbour { kind, code, target: target(kind, rest)? },
        _ => Body::Message { kind, code },
    })
}

/// The target of the messages that have one. Errors: `None` when it is cut short.
fn target(kind: u8, rest: &[u8]) -> Option<Option<Ipv6Addr>> {
    if !(135..=137).contains(&kind) {
        return Some(None);
    }
    Some(Some(Ipv6Addr::from_octets(*rest.first_chunk()?)))
}

/// The flow of the packet inside an error: a copy of its beginning, often no more than eight bytes of the next header, so its stated
/// length says nothing. `None` when its ports or identifier cannot be read.
fn inner(protocol: Protocol, bytes: &[u8]) -> Option<Tuple> {
    let (network, rest) = if protocol == Protocol::ICMP {
        let header = header4(bytes).ok()?;
        (header.network, &bytes[header.len..])
    } else {
        let (fixed, rest) = bytes.split_first_chunk::<40>()?;
        if fixed[0] >> 4 != 6 {
            return None;
        }
        (header6(fixed), rest)
    };
    if network.fragment.is_some_and(|part| part.offset != 0) {
        return None;
    }
    let header = rest.first_chunk::<8>()?;
    let (source, destination) = match network.protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP => (field16(header, 0)?, field16(header, 2)?),
        _ if network.protocol != protocol || header[1] != 0 => return None,
        _ => match header[0] {
            8 | 128 if (header[0] == 8) == (protocol == Protocol::ICMP) => (field16(header, 4)?, 0),
            0 | 129 if (header[0] == 0) == (protocol == Protocol::ICMP) => (0, field16(header, 4)?),
            _ => return None,
        },
    };
    Some(Tuple {
        source: (network.source, source),
        destination: (network.destination, destination),
        protocol: network.protocol,
    })
}
