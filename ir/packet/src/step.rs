//! One packet at one endpoint: the rules of the crate, in their order.

use crate::parse::{Arp, Body, Flags, Frame, Packet, Tuple, parse};
use crate::reason::Reason;
use crate::track::{Key, Track};
use flow::{Direction, L4Key, Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The endpoint whose interface a packet crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its number, unique on the node.
    pub id: u16,
    /// Its IPv4 address, if any.
    pub address4: Option<Ipv4Addr>,
    /// Its IPv6 address, if any.
    pub address6: Option<Ipv6Addr>,
    /// Its link-layer address, if known.
    pub mac: Option<[u8; 6]>,
}

impl Endpoint {
    fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.address4 == Some(address),
            IpAddr::V6(address) => self.address6 == Some(address),
        }
    }
}

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Pass(Because),
    /// It does not.
    Drop(Reason),
}

/// Why a packet passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// ARP or neighbour discovery.
    Neighbour,
    /// An IPv4 "fragmentation needed".
    PathMtu,
    /// An ICMP error about a live connection.
    Related,
    /// A packet of a connection, from the side that did not open it.
    Reply,
    /// The policy allows it.
    Allowed,
}

/// What happened to a packet, and what the policy was asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub outcome: Outcome,
    /// The peer's address and the L4 key, when the policy was asked.
    pub asked: Option<(IpAddr, L4Key)>,
}

impl Step {
    /// Whether the packet goes on.
    pub fn passes(&self) -> bool {
        matches!(self.outcome, Outcome::Pass(_))
    }
}

/// Decides about one packet. `tag` is a VLAN tag that travels beside the frame; `decide` is asked at most once.
///
/// Units: `direction` is the endpoint's view; `now` never runs backwards, in the ticks of the lifetimes.
pub fn step(
    track: &mut Track,
    endpoint: &Endpoint,
    direction: Direction,
    bytes: &[u8],
    tag: Option<u16>,
    now: u64,
    decide: &mut dyn FnMut(IpAddr, L4Key) -> bool,
) -> Step {
    let mut asked = None;
    let mut judge = |packet: &Packet, key: L4Key| {
        let peer = if direction == Direction::Ingress { packet.source } else { packet.destination };
        asked = Some((peer, key));
        decide(peer, key)
    };
    let result = match parse(bytes, tag) {
        Err(refused) => Err(spoofed(endpoint, direction, refused.source).unwrap_or(refused.reason)),
        Ok(Frame::Arp(content)) => arp(endpoint, direction, &content),
        Ok(Frame::Ip(packet)) => ip(track, endpoint, direction, &packet, now, &mut judge),
    };
    let outcome = match result {
        Ok(because) => Outcome::Pass(because),
        Err(reason) => Outcome::Drop(reason),
    };
    Step { outcome, asked }
}

type Judge<'a> = &'a mut dyn FnMut(&Packet, L4Key) -> bool;

/// Rule 5, for packets that cannot be read further. A source that neighbour discovery may have is left to what made them unreadable.
fn spoofed(endpoint: &Endpoint, direction: Direction, source: Option<IpAddr>) -> Option<Reason> {
    let own = source.is_none_or(|source| endpoint.owns(source) || only_on_link(source));
    (direction == Direction::Egress && !own).then_some(Reason::InvalidSource)
}

/// Whether neighbour discovery may come from an address that is not the endpoint's.
fn only_on_link(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unspecified() || address.is_unicast_link_local())
}

/// Rule 2.
fn arp(endpoint: &Endpoint, direction: Direction, content: &[u8]) -> Result<Because, Reason> {
    if direction == Direction::Ingress {
        return Ok(Because::Neighbour);
    }
    let sender = Arp::read(content)?;
    let own_mac = endpoint.mac.is_none_or(|mac| mac == sender.mac);
    let own_address = sender.address.is_unspecified() || endpoint.owns(sender.address.into());
    if own_mac && own_address { Ok(Because::Neighbour) } else { Err(Reason::ForbiddenNeighbour) }
}

fn ip(
    track: &mut Track,
    endpoint: &Endpoint,
    direction: Direction,
    packet: &Packet,
    now: u64,
    judge: Judge<'_>,
) -> Result<Because, Reason> {
    if let Body::Neighbour { kind, code, target } = packet.body {
        return neighbour(endpoint, direction, packet, (kind, code), target);
    }
    if direction == Direction::Egress && !endpoint.owns(packet.source) {
        return Err(Reason::InvalidSource);
    }
    match packet.body {
        Body::Error { kind: 3, code: 4, .. } if packet.protocol == Protocol::ICMP => Ok(Because::PathMtu),
        Body::Error { inner, .. } => {
            let known = inner.is_some_and(|tuple| {
                let returned = tuple.source.0 == packet.destination
                    && (direction == Direction::Ingress || tuple.destination.0 == packet.source);
                returned && track.find(&Key::new(endpoint.id, &tuple), now).is_some()
            });
            if known { Ok(Because::Related) } else { untracked(packet, judge) }
        }
        Body::Message { .. } => untracked(packet, judge),
        Body::Ports { source, destination, flags } => {
            track.ports_of_fragment(packet, Some((source, destination)));
            let tuple = packet.tuple_with((source, destination));
            tracked(track, endpoint, direction, packet, &tuple, flags, now, judge)
        }
        Body::Later => {
            let ports = track.ports_of_fragment(packet, None).ok_or(Reason::FragmentUnknown)?;
            let tuple = packet.tuple_with(ports);
            tracked(track, endpoint, direction, packet, &tuple, Flags::default(), now, judge)
        }
        Body::Query { asks, .. } => {
            let Some(tuple) = packet.tuple() else { return untracked(packet, judge) };
            let opened = track.find(&Key::new(endpoint.id, &tuple), now).map(|connection| connection.opened);
            // Rule 14: what asks goes the opener's way, what answers the other; anything else is on its own.
            match opened {
                Some(opened) if asks != (opened == direction) => untracked(packet, judge),
                None if !asks => untracked(packet, judge),
                _ => tracked(track, endpoint, direction, packet, &tuple, Flags::default(), now, judge),
            }
        }
        // Answered above.
        Body::Neighbour { .. } => Ok(Because::Neighbour),
    }
}

/// Rule 8.
fn neighbour(
    endpoint: &Endpoint,
    direction: Direction,
    packet: &Packet,
    (kind, code): (u8, u8),
    target: Option<Ipv6Addr>,
) -> Result<Because, Reason> {
    const SOLICITATION: u8 = 135;
    const ADVERTISEMENT: u8 = 136;
    let from_endpoint = direction == Direction::Egress;
    if from_endpoint && !endpoint.owns(packet.source) && !only_on_link(packet.source) {
        return Err(Reason::InvalidSource);
    }
    if packet.hop_limit != 255 || code != 0 {
        return Err(Reason::ForbiddenNeighbour);
    }
    if !from_endpoint {
        return Ok(Because::Neighbour);
    }
    let own_target = target.is_none_or(|target| endpoint.owns(target.into()) || target.is_unicast_link_local());
    let claims = kind == ADVERTISEMENT || kind == SOLICITATION && packet.source.is_unspecified();
    if matches!(kind, 134 | 137) || claims && !own_target {
        return Err(Reason::ForbiddenNeighbour);
    }
    Ok(Because::Neighbour)
}

/// Rules 13 to 15: judged by itself.
fn untracked(packet: &Packet, judge: Judge<'_>) -> Result<Because, Reason> {
    // A packet with ICMP content always has a key; without one nothing could allow it.
    let allowed = packet.key().is_some_and(|key| judge(packet, key));
    if allowed { Ok(Because::Allowed) } else { Err(Reason::Policy) }
}

/// Rules 16 to 21.
#[allow(
    clippy::too_many_arguments,
    reason = "one call from one place each; a structure would only rename the arguments"
)]
fn tracked(
    track: &mut Track,
    endpoint: &Endpoint,
    direction: Direction,
    packet: &Packet,
    tuple: &Tuple,
    flags: Flags,
    now: u64,
    judge: Judge<'_>,
) -> Result<Because, Reason> {
    let key = Key::new(endpoint.id, tuple);
    let live = track.find(&key, now).filter(|connection| !(connection.is_closing() && flags.opens())).copied();
    if live.is_some_and(|connection| connection.opened != direction) {
        track.touch(&key, direction, flags, now);
        return Ok(Because::Reply);
    }
    let asked = packet.key().unwrap_or(L4Key::new(tuple.protocol, tuple.destination.1));
    if !judge(packet, asked) {
        return Err(Reason::Policy);
    }
    match live {
        Some(_) => track.touch(&key, direction, flags, now),
        None => track.open(key, direction, flags, now),
    }
    Ok(Because::Allowed)
}
