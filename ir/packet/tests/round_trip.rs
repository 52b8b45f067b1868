//! What is crafted is read back, and no bytes are too strange to be read.

use flow::{Direction, Protocol};
use packet::craft::{Echo, Frame};
use packet::{Body, Endpoint, Flags, Lifetimes, Packet, Track, parse, step};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    prop_oneof![
        any::<(u32, u32)>().prop_map(|(a, b)| (Ipv4Addr::from(a).into(), Ipv4Addr::from(b).into())),
        any::<(u128, u128)>().prop_map(|(a, b)| (Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into())),
    ]
}

/// Adds what parsing steps over.
fn wrapped(frame: Frame, options: &[u8], extensions: &[(u8, Vec<u8>)], payload: &[u8]) -> Frame {
    let frame = frame.options(options).payload(payload);
    extensions.iter().fold(frame, |frame, (kind, content)| {
        // The second byte of a routing header's content says that segments are left.
        let content: Vec<u8> = if *kind == 43 { vec![0; content.len()] } else { content.clone() };
        frame.extension(*kind, content)
    })
}

fn read(frame: &[u8]) -> Packet {
    match parse(frame, None) {
        Ok(packet::Frame::Ip(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

/// The Internet checksum over a whole packet's pseudo header and segment is zero when the one inside is right.
fn sums_to_zero(packet: &Packet, segment: &[u8]) -> bool {
    let mut bytes = match (packet.source, packet.destination) {
        (IpAddr::V4(_), _) if packet.protocol == Protocol::ICMP => vec![],
        (IpAddr::V4(a), IpAddr::V4(b)) => [a.octets(), b.octets()].concat(),
        (IpAddr::V6(a), IpAddr::V6(b)) => [a.octets(), b.octets()].concat(),
        _ => return false,
    };
    if !bytes.is_empty() {
        bytes.extend((segment.len() as u32 + u32::from(packet.protocol.0)).to_be_bytes());
    }
    bytes.extend(segment);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    let sum: u64 = bytes.chunks(2).map(|word| u64::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    sum != 0 && sum.is_multiple_of(0xffff)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_crafted_is_read_back(
        (source, destination) in addresses(),
        (from, to) in any::<(u16, u16)>(),
        protocol in 0..4usize,
        flags in any::<u8>(),
        hop_limit in any::<u8>(),
        options in proptest::collection::vec(any::<u8>(), 0..41),
        extensions in proptest::collection::vec(
            (prop_oneof![Just(0u8), Just(43), Just(51), Just(60)], proptest::collection::vec(any::<u8>(), 0..20)), 0..9),
        payload in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let ports = |flags| Body::Ports { source: from, destination: to, flags };
        let (frame, body) = match protocol {
            0 => (Frame::tcp(source, destination, from, to, Flags(flags)), ports(Flags(flags))),
            1 => (Frame::udp(source, destination, from, to), ports(Flags(0))),
            2 => (Frame::sctp(source, destination, from, to), ports(Flags(0))),
            _ => {
                let kind = if source.is_ipv4() { 8 } else { 128 };
                let body = Body::Query { kind, code: 0, identifier: from, asks: true };
                (Frame::icmp_echo(source, destination, Echo::Request, from), body)
            }
        };
        let extensions = if source.is_ipv4() { vec![] } else { extensions };
        let frame = wrapped(frame, &options, &extensions, &payload).hop_limit(hop_limit);
        let bytes = frame.build();
        let packet = read(&bytes);
        prop_assert_eq!((packet.source, packet.destination, packet.hop_limit), (source, destination, hop_limit));
        prop_assert_eq!(&packet.body, &body);
        prop_assert_eq!(&packet.fragment, &None);
        // Trailing padding is nobody's.
        prop_assert_eq!(read(&[&bytes[..], &[7; 9]].concat()), packet.clone());
        if protocol != 2 {
            let header = [20, 8, 12, 16][protocol] + payload.len();
            prop_assert!(sums_to_zero(&packet, &bytes[bytes.len() - header..]));
        }
    }

    #[test]
    fn fragments_are_the_packet_cut_up(
        (source, destination) in addresses(), id in any::<u16>(), size in 8..200usize, len in 0..600usize,
    ) {
        let whole = Frame::udp(source, destination, 5, 53).payload(vec![1; len]);
        let parts = whole.fragments(u32::from(id), size);
        let mut seen = 0;
        for (index, part) in parts.iter().enumerate() {
            let packet = read(part);
            let fragment = packet.fragment.unwrap_or(packet::Fragment { identification: u32::from(id), offset: 0, more: false });
            prop_assert_eq!(fragment.offset as usize, seen);
            prop_assert_eq!(fragment.more, index + 1 < parts.len());
            prop_assert_eq!(fragment.identification, u32::from(id));
            prop_assert_eq!(packet.body == Body::Later, index > 0);
            seen += part.len() - 14 - if source.is_ipv4() { 20 } else { 48 };
        }
        prop_assert_eq!(seen, 8 + len);
    }

    #[test]
    fn no_bytes_make_it_panic(
        ether_type in prop_oneof![Just(0x0800u16), Just(0x86dd), Just(0x0806), any::<u16>()],
        first in prop_oneof![Just(0x45u8), Just(0x4f), Just(0x60), any::<u8>()],
        next in prop_oneof![Just(6u8), Just(17), Just(1), Just(58), Just(44), Just(0), Just(43), any::<u8>()],
        mut content in proptest::collection::vec(prop_oneof![2 => Just(0u8), 1 => any::<u8>()], 0..120),
        outwards in any::<bool>(),
    ) {
        for (at, value) in [(0, first), (if ether_type == 0x0800 { 9 } else { 6 }, next)] {
            if let Some(byte) = content.get_mut(at) {
                *byte = value;
            }
        }
        // A length that fits, so that what follows is read at all.
        if ether_type == 0x86dd && content.len() >= 40 {
            content[5] = (content.len() - 40) as u8;
            content[4] = 0;
        } else if content.len() >= 4 {
            content[3] = content.len() as u8;
            content[2] = 0;
        }
        let bytes = Frame::raw(ether_type, content).build();
        let endpoint = Endpoint { id: 1, address4: None, address6: None, mac: None };
        let direction = if outwards { Direction::Egress } else { Direction::Ingress };
        let mut track = Track::new(Lifetimes::with_ticks(1));
        let _ = step(&mut track, &endpoint, direction, &bytes, None, 0, &mut |_, _| packet::Ruling::Allow);
    }
}
