//! Network headers: RFC 791, RFC 8200.

use super::transport::{Network, transport};
use super::{Fragment, Packet, Refused, field16, field32};
use crate::reason::Reason;
use flow::Protocol;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many extension headers are walked.
const EXTENSIONS: usize = 8;

/// An IPv4 packet, from its header on.
pub(super) fn packet4(bytes: &[u8]) -> Result<Packet, Refused> {
    let header = header4(bytes)?;
    let packet = stated(bytes, field16(bytes, 2).ok_or(Reason::Truncated)?)?;
    let rest = packet.get(header.len..).ok_or(Reason::MalformedHeader)?;
    let source = Some(header.network.source);
    transport(header.network, rest).map_err(|reason| Refused { reason, source })
}

/// The bytes that a stated length covers; 0 covers all of a segment whose length does not fit into the field.
fn stated(bytes: &[u8], len: u16) -> Result<&[u8], Reason> {
    match len {
        0 if bytes.len() > usize::from(u16::MAX) => Ok(bytes),
        len => bytes.get(..usize::from(len)).ok_or(Reason::Truncated),
    }
}

pub(super) struct Header4 {
    pub(super) network: Network,
    pub(super) len: usize,
}

/// An IPv4 header, all of it, whatever the length of the packet.
pub(super) fn header4(bytes: &[u8]) -> Result<Header4, Reason> {
    let fixed: &[u8; 20] = bytes.first_chunk().ok_or(Reason::Truncated)?;
    let len = usize::from(fixed[0] & 15) * 4;
    if fixed[0] >> 4 != 4 || len < 20 {
        return Err(Reason::MalformedHeader);
    }
    if bytes.len() < len {
        return Err(Reason::Truncated);
    }
    let word = u16::from_be_bytes([fixed[6], fixed[7]]);
    let fragment = Fragment {
        identification: u32::from(u16::from_be_bytes([fixed[4], fixed[5]])),
        offset: u32::from(word & 0x1fff) * 8,
        more: word & 0x2000 != 0,
    };
    let address = |at: usize| IpAddr::V4(Ipv4Addr::from_octets(std::array::from_fn(|i| fixed[at + i])));
    let network = Network {
        source: address(12),
        destination: address(16),
        protocol: Protocol(fixed[9]),
        hop_limit: fixed[8],
        fragment: Some(fragment).filter(|part| part.offset != 0 || part.more),
    };
    Ok(Header4 { network, len })
}

/// An IPv6 packet, from its header on.
pub(super) fn packet6(bytes: &[u8]) -> Result<Packet, Refused> {
    let fixed: &[u8; 40] = bytes.first_chunk().ok_or(Reason::Truncated)?;
    if fixed[0] >> 4 != 6 {
        return Err(Reason::MalformedHeader.into());
    }
    let rest = stated(&bytes[40..], u16::from_be_bytes([fixed[4], fixed[5]]))?;
    let fixed = header6(fixed);
    let source = Some(fixed.source);
    let read = || {
        let (network, rest) = extensions(fixed, rest)?;
        transport(network, rest)
    };
    read().map_err(|reason| Refused { reason, source })
}

/// The fixed IPv6 header; the protocol is that of the next header, extension or not.
pub(super) fn header6(fixed: &[u8; 40]) -> Network {
    let address = |at: usize| IpAddr::V6(Ipv6Addr::from_octets(std::array::from_fn(|i| fixed[at + i])));
    Network {
        source: address(8),
        destination: address(24),
        protocol: Protocol(fixed[6]),
        hop_limit: fixed[7],
        fragment: None,
    }
}

/// Walks the extension headers: rule 6. A later fragment ends the walk, since what follows is no header.
fn extensions(mut network: Network, mut rest: &[u8]) -> Result<(Network, &[u8]), Reason> {
    let mut fragmented = false;
    for walked in 0.. {
        let kind = network.protocol.0;
        if !matches!(kind, 0 | 43 | 44 | 51 | 60) {
            break;
        }
        if walked == EXTENSIONS {
            return Err(Reason::Ipv6Headers);
        }
        let header: &[u8; 8] = rest.first_chunk().ok_or(Reason::Truncated)?;
        network.protocol = Protocol(header[0]);
        let len = match kind {
            44 => 8,
            51 => (usize::from(header[1]) + 2) * 4,
            _ => (usize::from(header[1]) + 1) * 8,
        };
        // Routing: type, segments left (RFC 8200, section 4.4).
        if kind == 43 && header[3] != 0 || kind == 44 && fragmented {
            return Err(Reason::Ipv6Headers);
        }
        rest = rest.get(len..).ok_or(Reason::Truncated)?;
        if kind == 44 {
            fragmented = true;
            let word = u16::from_be_bytes([header[2], header[3]]);
            let fragment = Fragment {
                identification: field32(header, 4).ok_or(Reason::Truncated)?,
                offset: u32::from(word & 0xfff8),
                more: word & 1 != 0,
            };
            network.fragment = Some(fragment).filter(|part| part.offset != 0 || part.more);
            if fragment.offset != 0 {
                break;
            }
        }
    }
    Ok((network, rest))
}
