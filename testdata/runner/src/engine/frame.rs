//! The first packet of a connection, for a question.

use super::{NotAsked, Place, Question};
use flow::{Direction, Family, Protocol};
use image::Hook;
use packet::Flags;
use packet::craft::Frame;

/// A frame, and the hook that it crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crafted {
    /// The hook.
    pub hook: Hook,
    /// The bytes, from the Ethernet header on.
    pub bytes: Vec<u8>,
}

/// The frame of a question. `port` is the source port, or the identifier of an echo.
///
/// Errors: [`NotAsked`] when no packet puts this question to a policy.
pub fn craft(place: &Place, question: &Question, port: u16) -> Result<Crafted, NotAsked> {
    let own = place.address(Family::of(question.peer)).ok_or(NotAsked::NoPacket)?;
    let [to, from] = if place.is_host() { Hook::HOST } else { Hook::BOTH };
    let (hook, source, destination) = match question.direction {
        Direction::Ingress => (to, question.peer, own),
        Direction::Egress => (from, own, question.peer),
    };
    let key = question.key;
    let frame = match key.protocol() {
        Protocol::TCP => Frame::tcp(source, destination, port, key.low(), Flags::SYN),
        Protocol::UDP => Frame::udp(source, destination, port, key.low()),
        Protocol::SCTP => Frame::sctp(source, destination, port, key.low()),
        protocol @ (Protocol::ICMP | Protocol::ICMPV6) => {
            if (protocol == Protocol::ICMP) != own.is_ipv4() {
                return Err(NotAsked::NoPacket);
            }
            let [kind, code] = key.low().to_be_bytes();
            // Neighbour discovery (RFC 4861) and "fragmentation needed" (RFC 1191) never meet a policy.
            match (protocol, kind, code) {
                (Protocol::ICMPV6, 133..=137, _) | (Protocol::ICMP, 3, 4) => return Err(NotAsked::NoPolicy),
                _ => {}
            }
            let [high, low] = port.to_be_bytes();
            Frame::icmp(source, destination, kind, code, [high, low, 0, 1], b"tidegate")
        }
        _ => return Err(NotAsked::Protocol),
    };
    Ok(Crafted { hook, bytes: frame.build() })
}
