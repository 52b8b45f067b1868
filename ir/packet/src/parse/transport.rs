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
    pub(super) extensions: usize,
    pub(super) fragment: Option<Fragment>,
}

impl Network {
    fn icmp(&self) -> Protocol {
        if self.source.is_ipv4() { Protocol::ICMP } else { Protocol::ICMPV6 }
    }
}

/// Rules 7, 9 and 10, then the content.
pub(super) fn transport(network: Network, bytes: &[u8]) -> Result<Packet, Reason> {
    let is_icmp = network.protocol == network.icmp();
    let body = match network.fragment {
        Some(_) if is_icmp => return Err(Reason::IcmpFragment),
        Some(part) if part.offset == 0 => ports(network.protocol, bytes)?.ok_or(Reason::FragmentShort)?,
        Some(part) if part.offset == 8 && network.protocol == Protocol::TCP => return Err(Reason::FragmentShort),
        Some(_) => Body::Later,
        None if is_icmp => icmp(network.protocol, bytes).ok_or(Reason::Truncated)?,
        None => ports(network.protocol, bytes)?.ok_or(Reason::Truncated)?,
    };
    let Network { source, destination, protocol, hop_limit, extensions, fragment } = network;
    Ok(Packet { source, destination, protocol, hop_limit, extensions, fragment, body })
}

/// A header with ports; `None` when it is cut short.
fn ports(protocol: Protocol, bytes: &[u8]) -> Result<Option<Body>, Reason> {
    let header = match protocol {
        Protocol::TCP => bytes.get(..20),
        Protocol::UDP => bytes.get(..8),
        Protocol::SCTP => bytes.get(..12),
        _ => return Err(Reason::UnknownProtocol),
    };
    let read = |header: &[u8]| {
        let flags = if protocol == Protocol::TCP { Flags(header[13]) } else { Flags::default() };
        Some(Body::Ports { source: field16(header, 0)?, destination: field16(header, 2)?, flags })
    };
    Ok(header.and_then(read))
}

/// Whether a message of this type is a query, and then whether it asks.
fn query(protocol: Protocol, kind: u8) -> Option<bool> {
    match (protocol, kind) {
        (Protocol::ICMP, 8 | 13) | (Protocol::ICMPV6, 128) => Some(true),
        (Protocol::ICMP, 0 | 14) | (Protocol::ICMPV6, 129) => Some(false),
        _ => None,
    }
}

fn icmp(protocol: Protocol, bytes: &[u8]) -> Option<Body> {
    let (header, rest) = bytes.split_first_chunk::<8>()?;
    let (kind, code) = (header[0], header[1]);
    let identifier = field16(header, 4)?;
    if let Some(asks) = query(protocol, kind) {
        return Some(Body::Query { kind, code, identifier, asks });
    }
    Some(match (protocol, kind) {
        (Protocol::ICMP, 3 | 11 | 12) | (Protocol::ICMPV6, 1..=4) => {
            Body::Error { kind, code, inner: inner(protocol, rest) }
        }
        (Protocol::ICMPV6, 133..=137) => Body::Neighbour { kind, code, target: target(kind, rest) },
        _ => Body::Message { kind, code },
    })
}

/// The target of the messages that have one.
fn target(kind: u8, rest: &[u8]) -> Option<Ipv6Addr> {
    let octets = rest.first_chunk().filter(|_| (135..=137).contains(&kind))?;
    Some(Ipv6Addr::from_octets(*octets))
}

/// The flow of the packet inside an error: a copy of its beginning, often no more than eight bytes of the next header, so its stated
/// length says nothing. `None` when its ports or identifier cannot be read.
fn inner(protocol: Protocol, bytes: &[u8]) -> Option<Tuple> {
    let (network, rest) = if protocol == Protocol::ICMP {
        let header = header4(bytes).ok()?;
        (header.network, bytes.get(header.len..)?)
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
        _ if network.protocol != protocol => return None,
        _ if query(protocol, header[0])? => (field16(header, 4)?, 0),
        _ => (0, field16(header, 4)?),
    };
    Some(Tuple {
        source: (network.source, source),
        destination: (network.destination, destination),
        protocol: network.protocol,
    })
}
