//! Builds frames for tests: every field right unless told otherwise, checksums included.
//!
//! ```
//! use packet::{Flags, craft::Frame};
//! let frame = Frame::tcp("10.0.1.4", "10.0.1.9", 40000, 80, Flags::SYN).hop_limit(3).build();
//! assert_eq!(frame.len(), 14 + 20 + 20);
//! let parts = Frame::udp("fd00::4", "fd00::9", 40000, 53).payload(vec![7; 3000]).fragments(99, 1400);
//! assert_eq!(parts.len(), 3);
//! ```

mod checksum;
mod icmp;
mod kinds;

pub use icmp::{Echo, solicited_node};
pub use kinds::{damage, every_kind};

use crate::parse::Flags;
use std::net::IpAddr;

/// A frame in the making. Its constructors name the transport; the addresses say the family.
#[derive(Clone, Debug)]
pub struct Frame {
    destination_mac: [u8; 6],
    source_mac: [u8; 6],
    tag: Option<u16>,
    ether_type: u16,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Raw(Vec<u8>),
    Ip(Ip),
}

#[derive(Clone, Debug)]
struct Ip {
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    protocol: u8,
    options: Vec<u8>,
    extensions: Vec<(u8, Vec<u8>)>,
    part: Option<(u32, u16, bool)>,
    /// Transport header and payload, without its checksum.
    segment: Vec<u8>,
}

/// Something that names an address: an address, or its text.
pub trait Address {
    /// The address. Panics on text that is none: a mistake in a test.
    fn address(self) -> IpAddr;
}

impl Address for IpAddr {
    fn address(self) -> IpAddr {
        self
    }
}

impl Address for std::net::Ipv4Addr {
    fn address(self) -> IpAddr {
        self.into()
    }
}

impl Address for std::net::Ipv6Addr {
    fn address(self) -> IpAddr {
        self.into()
    }
}

impl Address for &str {
    fn address(self) -> IpAddr {
        self.parse().unwrap_or_else(|_| panic!("`{self}` in a test is no address"))
    }
}

impl Frame {
    /// A frame of any EtherType and content.
    pub fn raw(ether_type: u16, content: Vec<u8>) -> Frame {
        Frame {
            destination_mac: [2, 0, 0, 0, 0, 2],
            source_mac: [2, 0, 0, 0, 0, 1],
            tag: None,
            ether_type,
            content: Content::Raw(content),
        }
    }

    /// An IP packet of any protocol. The segment is what follows the headers; its checksum is filled in for protocols that have one.
    pub fn ip(source: impl Address, destination: impl Address, protocol: u8, segment: Vec<u8>) -> Frame {
        let (source, destination) = (source.address(), destination.address());
        let ip = Ip {
            source,
            destination,
            hop_limit: 64,
            protocol,
            options: Vec::new(),
            extensions: Vec::new(),
            part: None,
            segment,
        };
        let ether_type = if source.is_ipv4() { 0x0800 } else { 0x86dd };
        Frame { content: Content::Ip(ip), ..Frame::raw(ether_type, Vec::new()) }
    }

    /// A TCP segment without payload.
    pub fn tcp(source: impl Address, destination: impl Address, from: u16, to: u16, flags: Flags) -> Frame {
        let mut header = [from.to_be_bytes(), to.to_be_bytes()].concat();
        // Sequence 1, acknowledgement 1 where the flag is set, five words of header, a window of 64,240.
        let acknowledgement = u32::from(flags.has(Flags::ACK));
        header.extend([1u32.to_be_bytes(), acknowledgement.to_be_bytes()].concat());
        header.extend([0x50, flags.0, 0xfa, 0xf0, 0, 0, 0, 0]);
        Frame::ip(source, destination, 6, header)
    }

    /// A UDP datagram without payload.
    pub fn udp(source: impl Address, destination: impl Address, from: u16, to: u16) -> Frame {
        let header = [from.to_be_bytes(), to.to_be_bytes(), [0, 8], [0, 0]].concat();
        Frame::ip(source, destination, 17, header)
    }

    /// An SCTP packet with the common header only.
    pub fn sctp(source: impl Address, destination: impl Address, from: u16, to: u16) -> Frame {
        let mut header = [from.to_be_bytes(), to.to_be_bytes()].concat();
        header.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        Frame::ip(source, destination, 132, header)
    }

    /// An ARP packet: operation 1 asks, 2 answers.
    pub fn arp(operation: u16, sender: ([u8; 6], [u8; 4]), target: ([u8; 6], [u8; 4])) -> Frame {
        let mut content = vec![0, 1, 8, 0, 6, 4];
        content.extend(operation.to_be_bytes());
        for (mac, address) in [sender, target] {
            content.extend(mac);
            content.extend(address);
        }
        Frame { source_mac: sender.0, ..Frame::raw(0x0806, content) }
    }

    /// Sets the link-layer addresses.
    pub fn macs(mut self, source: [u8; 6], destination: [u8; 6]) -> Frame {
        (self.source_mac, self.destination_mac) = (source, destination);
        self
    }

    /// Puts a VLAN tag into the frame.
    pub fn tagged(mut self, tag: u16) -> Frame {
        self.tag = Some(tag);
        self
    }

    /// Appends bytes to the transport segment.
    pub fn payload(mut self, bytes: impl AsRef<[u8]>) -> Frame {
        match &mut self.content {
            Content::Raw(content) => content.extend(bytes.as_ref()),
            Content::Ip(ip) => ip.segment.extend(bytes.as_ref()),
        }
        self
    }

    /// Sets the TTL or hop limit.
    pub fn hop_limit(self, hop_limit: u8) -> Frame {
        self.with_ip(|ip| ip.hop_limit = hop_limit)
    }

    /// Adds IPv4 options, padded to whole words by end-of-list bytes; at most 40 bytes are kept.
    pub fn options(self, options: impl AsRef<[u8]>) -> Frame {
        self.with_ip(|ip| {
            ip.options = options.as_ref().iter().copied().take(40).collect();
            ip.options.resize(ip.options.len().next_multiple_of(4), 0);
        })
    }

    /// Adds an IPv6 extension header (0 hop-by-hop, 43 routing, 51 authentication, 60 destination) before the transport, after those
    /// added earlier. The content follows next header and length, and is padded to what the length can say.
    pub fn extension(self, kind: u8, content: impl AsRef<[u8]>) -> Frame {
        self.with_ip(|ip| ip.extensions.push((kind, content.as_ref().to_vec())))
    }

    /// Makes it look like a part of a packet, without cutting anything. Units: the offset in bytes, rounded down to 8.
    pub fn part(self, identification: u32, offset: u16, more: bool) -> Frame {
        self.with_ip(|ip| ip.part = Some((identification, offset, more)))
    }

    fn with_ip(mut self, change: impl FnOnce(&mut Ip)) -> Frame {
        if let Content::Ip(ip) = &mut self.content {
            change(ip);
        }
        self
    }

    /// The bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut frame = [self.destination_mac, self.source_mac].concat();
        if let Some(tag) = self.tag {
            frame.extend([0x81, 0x00]);
            frame.extend(tag.to_be_bytes());
        }
        frame.extend(self.ether_type.to_be_bytes());
        match &self.content {
            Content::Raw(content) => frame.extend(content),
            Content::Ip(ip) => frame.extend(ip.build(&ip.finished_segment(), ip.part)),
        }
        frame
    }

    /// The IP packet without the link-layer header; empty for a frame that carries none.
    pub fn build_ip(&self) -> Vec<u8> {
        match &self.content {
            Content::Raw(_) => Vec::new(),
            Content::Ip(ip) => ip.build(&ip.finished_segment(), ip.part),
        }
    }

    /// The packet cut into parts with at most `size` bytes of segment each (rounded down to 8, but at least 8).
    pub fn fragments(&self, identification: u32, size: usize) -> Vec<Vec<u8>> {
        let Content::Ip(ip) = &self.content else { return vec![self.build()] };
        let segment = ip.finished_segment();
        let size = (size / 8 * 8).max(8);
        let mut parts = Vec::new();
        for (index, chunk) in segment.chunks(size).enumerate() {
            let (offset, more) = (index * size, (index + 1) * size < segment.len());
            let mut frame = Frame { content: Content::Raw(Vec::new()), ..self.clone() }.build();
            frame.extend(ip.build(chunk, Some((identification, offset as u16, more))));
            parts.push(frame);
        }
        parts
    }
}

impl Ip {
    /// The segment with lengths and checksum.
    fn finished_segment(&self) -> Vec<u8> {
        let mut segment = self.segment.clone();
        if self.protocol == 17 && segment.len() >= 8 {
            let len = segment.len().min(0xffff) as u16;
            segment[4..6].copy_from_slice(&len.to_be_bytes());
        }
        checksum::fill(&mut segment, self.protocol, self.source, self.destination);
        segment
    }

    fn build(&self, segment: &[u8], part: Option<(u32, u16, bool)>) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut header = vec![0x45 + (self.options.len() / 4) as u8, 0];
                let total = 20 + self.options.len() + segment.len();
                header.extend((total.min(0xffff) as u16).to_be_bytes());
                let (identification, offset, more) = part.unwrap_or_default();
                header.extend((identification as u16).to_be_bytes());
                header.extend(((offset / 8) | (u16::from(more) << 13)).to_be_bytes());
                header.extend([self.hop_limit, self.protocol, 0, 0]);
                header.extend([source.octets(), destination.octets()].concat());
                header.extend(&self.options);
                let sum = checksum::internet(&[&header]);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
                [&header, segment].concat()
            }
            (source, destination) => {
                let (first, headers) = self.headers6(part);
                let len = (headers.len() + segment.len()).min(0xffff) as u16;
                let mut header = vec![0x60, 0, 0, 0];
                header.extend(len.to_be_bytes());
                header.extend([first, self.hop_limit]);
                header.extend([octets6(source), octets6(destination)].concat());
                [&header, &headers[..], segment].concat()
            }
        }
    }

    /// The number of the first extension header (or of the transport), and all extension headers, a fragment header last.
    fn headers6(&self, part: Option<(u32, u16, bool)>) -> (u8, Vec<u8>) {
        let mut headers = self.extensions.clone();
        if let Some((identification, offset, more)) = part {
            let word = offset & 0xfff8 | u16::from(more);
            headers.push((44, [&word.to_be_bytes()[..], &identification.to_be_bytes()].concat()));
        }
        let mut bytes = Vec::new();
        for (index, (kind, content)) in headers.iter().enumerate() {
            let next = headers.get(index + 1).map_or(self.protocol, |(kind, _)| *kind);
            let unit = if *kind == 51 { 4 } else { 8 };
            let len = (content.len() + 2).next_multiple_of(unit).max(8);
            let stated = match kind {
                44 => 0,
                51 => len / 4 - 2,
                _ => len / 8 - 1,
            };
            bytes.extend([next, stated as u8]);
            bytes.extend(content);
            bytes.resize(bytes.len() + len - 2 - content.len(), 0);
        }
        (headers.first().map_or(self.protocol, |(kind, _)| *kind), bytes)
    }
}

fn octets6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
