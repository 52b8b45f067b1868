//! Frames of every kind that programs tell apart, for tests that ask about all of them.

use super::{Echo, Frame};
use crate::parse::Flags;
use flow::Direction;
use std::net::{IpAddr, Ipv6Addr};

/// Frames of every kind between a subject and a peer of its family, towards the subject and from it: transports with their flags, options and
/// extension headers, fragments, echoes, errors about packets of both, neighbour discovery, and what no policy speaks of.
///
/// Flows of both directions meet: what one direction opens the other answers.
pub fn every_kind(own: IpAddr, mac: [u8; 6], peer: IpAddr) -> Vec<(Direction, Vec<u8>)> {
    let mut out = Vec::new();
    for (direction, a, b, from, to) in
        [(Direction::Ingress, peer, own, 40000, 80), (Direction::Egress, own, peer, 80, 40000)]
    {
        let mut frames = transports(a, b, from, to);
        frames.extend(messages(a, b));
        frames.extend(headers(a, b, from, to));
        frames.push(Frame::arp(1, (mac, [10, 0, 1, 4]), ([0; 6], [10, 0, 1, 1])));
        frames.push(Frame::raw(0x88cc, vec![0; 40]));
        frames.push(Frame::udp(a, b, 9, 53).tagged(7));
        if let (IpAddr::V6(own), true) = (own, a.is_ipv6()) {
            frames.extend(neighbours(a, own, mac));
        }
        out.extend(frames.iter().map(|frame| (direction, frame.build())));
        for about in [Frame::udp(a, b, 9, 53).payload([1; 40]), Frame::tcp(a, b, from, to, Flags::ACK).payload([1; 40])]
        {
            out.extend(about.fragments(5, 24).into_iter().map(|part| (direction, part)));
        }
    }
    out
}

fn transports(a: IpAddr, b: IpAddr, from: u16, to: u16) -> Vec<Frame> {
    let flags = [Flags::SYN, Flags::SYN_ACK, Flags::ACK, Flags(0x11), Flags::ACK, Flags::RST];
    let mut out: Vec<Frame> = flags.map(|flags| Frame::tcp(a, b, from, to, flags)).into();
    out.push(Frame::udp(a, b, 9, 53).payload("question"));
    out.push(Frame::udp(a, b, 53, 9).payload("answer"));
    out.push(Frame::udp(a, b, 9, 8472).payload("tunnel"));
    out.push(Frame::sctp(a, b, 9, 3868));
    out.push(Frame::ip(a, b, 47, vec![0; 16]));
    out
}

fn messages(a: IpAddr, b: IpAddr) -> Vec<Frame> {
    let mut out = Vec::new();
    for id in [0, 7] {
        out.push(Frame::icmp_echo(a, b, Echo::Request, id));
        out.push(Frame::icmp_echo(a, b, Echo::Reply, id));
    }
    let kinds: &[(u8, u8)] = match a {
        IpAddr::V4(_) => &[(3, 1), (3, 4), (11, 0), (12, 0), (13, 0), (8, 1), (0, 1)],
        IpAddr::V6(_) => &[(0, 0), (1, 0), (2, 0), (3, 1), (4, 0), (5, 0), (100, 0), (128, 1), (129, 1), (138, 0)],
    };
    let about = [
        Frame::udp(b, a, 53, 9),
        Frame::tcp(b, a, 80, 40000, Flags::ACK),
        Frame::tcp(b, a, 40000, 80, Flags::ACK),
        Frame::icmp_echo(b, a, Echo::Request, 7),
        Frame::icmp_echo(b, a, Echo::Reply, 7),
        Frame::udp(a, b, 9, 53),
    ];
    for (kind, code) in kinds {
        out.extend(about.iter().map(|about| Frame::icmp_error(a, b, *kind, *code, about)));
    }
    out
}

/// Network headers of other lengths than the usual.
fn headers(a: IpAddr, b: IpAddr, from: u16, to: u16) -> Vec<Frame> {
    let tcp = || Frame::tcp(a, b, from, to, Flags::ACK);
    let mut out = vec![
        tcp().part(6, 0, true),
        tcp().part(6, 8, false),
        Frame::icmp_echo(a, b, Echo::Request, 7).part(6, 0, true),
    ];
    if a.is_ipv4() {
        out.extend([tcp().options([1; 4]), Frame::udp(a, b, 9, 53).options([1; 40])]);
        return out;
    }
    for kind in [0, 43, 51, 60] {
        out.push(tcp().extension(kind, [0; 6]));
        out.push(Frame::udp(a, b, 9, 53).extension(kind, [0; 22]));
    }
    out.push(tcp().extension(43, [0, 1, 0, 0, 0, 0]));
    out.push(tcp().part(6, 0, false));
    for count in [8, 9] {
        out.push((0..count).fold(tcp(), |frame, _| frame.extension(60, [0; 6])));
    }
    out
}

fn neighbours(source: IpAddr, own: Ipv6Addr, mac: [u8; 6]) -> Vec<Frame> {
    let mut out = Vec::new();
    for source in [source, "fe80::7".parse().unwrap_or(source), Ipv6Addr::UNSPECIFIED.into()] {
        for kind in [135, 136, 137] {
            out.push(Frame::neighbour(kind, source, "ff02::1", own, mac));
        }
        out.push(Frame::router(133, source, "ff02::2"));
        out.push(Frame::router(134, source, "ff02::1"));
        out.push(Frame::tcp(source, own, 1, 80, Flags::SYN));
    }
    out
}

/// Changes a few bytes of a frame, mostly of its headers, or cuts it short; or leaves it. `below` gives numbers below a limit.
pub fn damage(frame: &mut Vec<u8>, below: &mut dyn FnMut(usize) -> usize) {
    if below(3) > 0 {
        for _ in 0..=below(2) {
            // Mostly the headers, where every bit counts.
            let limit = if below(2) == 0 { frame.len().min(80) } else { frame.len() };
            let at = 12 + below(limit - 12);
            frame[at] = match below(3) {
                0 => frame[at] ^ 1 << below(8),
                1 => [0, 1, 6, 17, 43, 44, 51, 58, 60, 132, 255][below(11)],
                _ => below(256) as u8,
            };
        }
    }
    if below(8) == 0 {
        let len = 14 + below(frame.len() - 13);
        frame.truncate(len);
    }
}
