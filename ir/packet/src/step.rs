//! One packet at one endpoint: the rules of the crate, in their order.

use crate::host::Host;
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
    /// The policy denies it, and audit mode lets it pass all the same.
    Audited,
    /// It is none of the node's own.
    Forwarded,
    /// It carries the node's address and comes from an endpoint: somebody translated it.
    Translated,
}

/// What the policy says about a packet, or audit mode in its stead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruling {
    /// It passes.
    Allow,
    /// It is denied, and passes all the same because of audit mode.
    Audit,
    /// It is denied.
    Deny,
}

impl From<bool> for Ruling {
    fn from(allowed: bool) -> Ruling {
        if allowed { Ruling::Allow } else { Ruling::Deny }
    }
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
    decide: &mut dyn FnMut(IpAddr, L4Key) -> Ruling,
) -> Step {
    asking(direction, decide, |judge| match parse(bytes, tag) {
        Err(refused) => Err(spoofed(endpoint, direction, refused.source).unwrap_or(refused.reason)),
        Ok(Frame::Arp(content)) => arp(endpoint, direction, &content),
        Ok(Frame::Ip(packet)) => ip(track, Subject::Endpoint(endpoint), direction, &packet, now, judge),
    })
}

/// Decides, and notes what the policy was asked.
pub(crate) fn asking(
    direction: Direction,
    decide: &mut dyn FnMut(IpAddr, L4Key) -> Ruling,
    work: impl FnOnce(Judge<'_>) -> Result<Because, Reason>,
) -> Step {
    let mut asked = None;
    let result = work(&mut |packet: &Packet, key: L4Key| {
        let peer = if direction == Direction::Ingress { packet.source } else { packet.destination };
        asked = Some((peer, key));
        decide(peer, key)
    });
    let outcome = match result {
        Ok(because) => Outcome::Pass(because),
        Err(reason) => Outcome::Drop(reason),
    };
    Step { outcome, asked }
}

pub(crate) type Judge<'a> = &'a mut dyn FnMut(&Packet, L4Key) -> Ruling;

/// Whose connections a packet may belong to.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'s> {
    /// An endpoint's.
    Endpoint(&'s Endpoint),
    /// The node's.
    Host(&'s Host),
}

impl Subject<'_> {
    fn id(self) -> u16 {
        match self {
            Subject::Endpoint(endpoint) => endpoint.id,
            Subject::Host(host) => host.id,
        }
    }
}

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

pub(crate) fn ip(
    track: &mut Track,
    subject: Subject<'_>,
    direction: Direction,
    packet: &Packet,
    now: u64,
    judge: Judge<'_>,
) -> Result<Because, Reason> {
    let id = subject.id();
    if let Body::Neighbour { kind, code, target } = packet.body {
        return match subject {
            Subject::Endpoint(endpoint) => neighbour(endpoint, direction, packet, (kind, code), target),
            Subject::Host(_) => sound_neighbour(packet, code),
        };
    }
    if let Subject::Endpoint(endpoint) = subject
        && direction == Direction::Egress
        && !endpoint.owns(packet.source)
    {
        return Err(Reason::InvalidSource);
    }
    match packet.body {
        Body::Error { kind: 3, code: 4, .. } if packet.protocol == Protocol::ICMP => Ok(Because::PathMtu),
        // Rule 25.
        Body::Error { inner: Some(inner), .. }
            if matches!(subject, Subject::Host(_))
                && direction == Direction::Egress
                && inner.source.0 == packet.destination
                && inner.destination.0 != packet.source =>
        {
            Ok(Because::Forwarded)
        }
        Body::Error { inner, .. } => {
            let known = inner.is_some_and(|tuple| {
                let returned = tuple.source.0 == packet.destination
                    && (direction == Direction::Ingress || tuple.destination.0 == packet.source);
                returned && track.find(&Key::new(id, &tuple), now).is_some()
            });
            if known { Ok(Because::Related) } else { untracked(packet, judge) }
        }
        Body::Message { .. } => untracked(packet, judge),
        Body::Ports { source, destination, flags } => {
            track.ports_of_fragment(packet, Some((source, destination)));
            let tuple = packet.tuple_with((source, destination));
            outside_of_tunnel(track, subject, direction, &tuple)?;
            tracked(track, id, direction, packet, &tuple, flags, now, judge)
        }
        Body::Later => {
            let ports = track.ports_of_fragment(packet, None).ok_or(Reason::FragmentUnknown)?;
            let tuple = packet.tuple_with(ports);
            outside_of_tunnel(track, subject, direction, &tuple)?;
            tracked(track, id, direction, packet, &tuple, Flags::default(), now, judge)
        }
        Body::Query { asks, .. } => {
            let Some(tuple) = packet.tuple() else { return untracked(packet, judge) };
            let opened = track.find(&Key::new(id, &tuple), now).map(|connection| connection.opened);
            // Rule 14: what asks goes the opener's way, what answers the other; anything else is on its own.
            match opened {
                Some(opened) if asks != (opened == direction) => untracked(packet, judge),
                None if !asks => untracked(packet, judge),
                _ => tracked(track, id, direction, packet, &tuple, Flags::default(), now, judge),
            }
        }
        // Answered above.
        Body::Neighbour { .. } => Ok(Because::Neighbour),
    }
}

/// Rule 29.
fn outside_of_tunnel(track: &Track, subject: Subject<'_>, direction: Direction, tuple: &Tuple) -> Result<(), Reason> {
    let Some(tunnel) = &track.settings().tunnel else { return Ok(()) };
    let from_endpoint = matches!(subject, Subject::Endpoint(_)) && direction == Direction::Egress;
    let inside = tuple.protocol == Protocol::UDP
        && tuple.destination.1 == tunnel.port
        && tunnel.addresses.contains(&tuple.destination.0);
    if from_endpoint && inside { Err(Reason::Encapsulation) } else { Ok(()) }
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
    sound_neighbour(packet, code)?;
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

/// The part of rule 8 that holds whoever sends it.
fn sound_neighbour(packet: &Packet, code: u8) -> Result<Because, Reason> {
    if packet.hop_limit == 255 && code == 0 { Ok(Because::Neighbour) } else { Err(Reason::ForbiddenNeighbour) }
}

/// Rules 13 to 15: judged by itself.
fn untracked(packet: &Packet, judge: Judge<'_>) -> Result<Because, Reason> {
    // A packet with ICMP content always has a key; without one nothing could allow it.
    because(packet.key().map_or(Ruling::Deny, |key| judge(packet, key)))
}

fn because(ruling: Ruling) -> Result<Because, Reason> {
    match ruling {
        Ruling::Allow => Ok(Because::Allowed),
        Ruling::Audit => Ok(Because::Audited),
        Ruling::Deny => Err(Reason::Policy),
    }
}

/// Rules 16 to 21.
#[allow(
    clippy::too_many_arguments,
    reason = "one call from one place each; a structure would only rename the arguments"
)]
fn tracked(
    track: &mut Track,
    id: u16,
    direction: Direction,
    packet: &Packet,
    tuple: &Tuple,
    flags: Flags,
    now: u64,
    judge: Judge<'_>,
) -> Result<Because, Reason> {
    let key = Key::new(id, tuple);
    let live = track.find(&key, now).filter(|connection| !(connection.is_closing() && flags.opens())).copied();
    if live.is_some_and(|connection| connection.opened != direction) {
        track.touch(&key, direction, flags, now);
        return Ok(Because::Reply);
    }
    let asked = packet.key().unwrap_or(L4Key::new(tuple.protocol, tuple.destination.1));
    let passes = because(judge(packet, asked))?;
    match live {
        Some(_) => track.touch(&key, direction, flags, now),
        None => track.open(key, direction, flags, now),
    }
    Ok(passes)
}
