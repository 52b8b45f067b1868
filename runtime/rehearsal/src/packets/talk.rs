//! What a capture shows of conversations: who opened them.

use flow::L4Key;
use packet::{Body, Flags, Frame, Packet, Tuple};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Conversations, and fragmented packets, that are remembered; beyond that all are forgotten, which is what bounds memory.
const MOST: usize = 1 << 18;

/// What a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Talk {
    /// Who opened the conversation, as far as the capture shows it.
    pub source: IpAddr,
    /// With whom.
    pub destination: IpAddr,
    /// Protocol and port that were asked for; `None` for a packet whose headers cannot be read.
    pub key: Option<L4Key>,
    /// Whether this packet is an answer.
    pub answer: bool,
}

/// The conversations of a capture, in the order of its packets.
#[derive(Debug, Default)]
pub struct Conversations {
    opened: HashMap<Tuple, L4Key>,
    firsts: HashMap<(IpAddr, IpAddr, u32, u8), Talk>,
}

impl Conversations {
    /// What a frame belongs to; `None` when it has no IP addresses.
    pub fn talk(&mut self, frame: &[u8]) -> Option<Talk> {
        let (source, destination) = addresses(frame)?;
        let plain = Talk { source, destination, key: None, answer: false };
        let Ok(Frame::Ip(packet)) = packet::parse(frame, None) else { return Some(plain) };
        let part = packet.fragment.map(|it| (source, destination, it.identification, packet.protocol.0));
        if let (Some(part), Body::Later) = (part, &packet.body) {
            return Some(self.firsts.get(&part).copied().unwrap_or(plain));
        }
        let talk = self.of_whole(&packet, plain);
        if let Some(part) = part {
            remember(&mut self.firsts, part, talk);
        }
        Some(talk)
    }

    fn of_whole(&mut self, packet: &Packet, plain: Talk) -> Talk {
        let talk = Talk { key: packet.key(), ..plain };
        let (Some(tuple), Some(key)) = (packet.tuple(), talk.key) else { return talk };
        let reversed = Tuple { source: tuple.destination, destination: tuple.source, ..tuple };
        let answer = |key| Talk { source: plain.destination, destination: plain.source, key: Some(key), answer: true };
        if self.opened.contains_key(&tuple) {
            return talk;
        }
        if let Some(key) = self.opened.get(&reversed) {
            return answer(*key);
        }
        if matches!(packet.body, Body::Ports { flags, .. } if flags.has(Flags::SYN_ACK)) {
            let asked = L4Key::new(packet.protocol, tuple.source.1);
            remember(&mut self.opened, reversed, asked);
            return answer(asked);
        }
        remember(&mut self.opened, tuple, key);
        talk
    }
}

fn remember<K: std::hash::Hash + Eq, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(key, value);
}

/// Source and destination of an Ethernet frame, read at their places whatever follows; `None` without.
pub fn addresses(frame: &[u8]) -> Option<(IpAddr, IpAddr)> {
    match frame.get(12..14)? {
        [0x08, 0x00] => {
            let at = |from: usize| Some(IpAddr::V4(Ipv4Addr::from_octets(*frame.get(from..)?.first_chunk()?)));
            Some((at(26)?, at(30)?))
        }
        [0x86, 0xdd] => {
            let at = |from: usize| Some(IpAddr::V6(Ipv6Addr::from_octets(*frame.get(from..)?.first_chunk()?)));
            Some((at(22)?, at(38)?))
        }
        _ => None,
    }
}
