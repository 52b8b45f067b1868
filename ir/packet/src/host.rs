//! One packet at an interface of the node: which packets are the node's own, and what becomes of those.

use crate::parse::{Frame, parse};
use crate::step::{self, Because, Ruling, Step, Subject, asking};
use crate::track::Track;
use flow::{Direction, L4Key};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A node, whose own traffic crosses interfaces together with what it forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its number among the endpoints.
    pub id: u16,
    /// Its addresses.
    pub addresses: BTreeSet<IpAddr>,
}

/// Where a packet was before it crossed the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The node made it.
    Here,
    /// It came in by the interface of an endpoint of the node.
    Endpoint,
    /// It came in by another interface.
    Elsewhere,
}

/// Decides about one packet at an interface of the node: rules 22 to 26.
///
/// `tag` is the VLAN tag that travels beside the frame; `origin` says nothing about packets towards the node; `decide` is asked at most
/// once, and only about packets of the node itself.
#[allow(
    clippy::too_many_arguments,
    reason = "as many as a packet has circumstances; a structure would only rename them"
)]
pub fn step_host(
    track: &mut Track,
    host: &Host,
    direction: Direction,
    bytes: &[u8],
    tag: Option<u16>,
    origin: Origin,
    now: u64,
    decide: &mut dyn FnMut(IpAddr, L4Key) -> Ruling,
) -> Step {
    let translated = direction == Direction::Egress && origin == Origin::Endpoint;
    if !is_own(host, direction, bytes, tag, origin) {
        return Step { outcome: step::Outcome::Pass(Because::Forwarded), asked: None };
    }
    let mut unasked = |_, _| Ruling::Allow;
    let mut step = asking(direction, if translated { &mut unasked } else { decide }, |judge| {
        // A tag that is still there carries no number.
        match parse(bytes, None) {
            Err(refused) => Err(refused.reason),
            Ok(Frame::Arp(_)) => Ok(Because::Neighbour),
            Ok(Frame::Ip(packet)) => step::ip(track, Subject::Host(host), direction, &packet, now, judge),
        }
    });
    if translated {
        step.asked = None;
        if step.outcome == step::Outcome::Pass(Because::Allowed) {
            step.outcome = step::Outcome::Pass(Because::Translated);
        }
    }
    step
}

/// Rules 22, 23 and 26: whether the packet is the node's to judge.
fn is_own(host: &Host, direction: Direction, bytes: &[u8], tag: Option<u16>, origin: Origin) -> bool {
    const NUMBER: u16 = 0x0fff;
    if tag.is_some_and(|tag| tag & NUMBER != 0) || direction == Direction::Egress && origin == Origin::Elsewhere {
        return false;
    }
    match end(bytes, direction) {
        Some(address) => host.addresses.contains(&address),
        None => direction == Direction::Ingress || origin == Origin::Here,
    }
}

/// The address on the node's side: where the packet goes, or where it says that it is from. `None` without one.
fn end(bytes: &[u8], direction: Direction) -> Option<IpAddr> {
    let ingress = direction == Direction::Ingress;
    match bytes.get(12..14)? {
        [0x08, 0x00] => {
            let header = bytes.get(14..34)?;
            let at = if ingress { 16 } else { 12 };
            Some(Ipv4Addr::from(*header[at..].first_chunk::<4>()?).into())
        }
        [0x86, 0xdd] => {
            let header = bytes.get(14..54)?;
            let at = if ingress { 24 } else { 8 };
            Some(Ipv6Addr::from(*header[at..].first_chunk::<16>()?).into())
        }
        _ => None,
    }
}
