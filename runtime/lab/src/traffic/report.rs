//! What was sent, what arrived, what is missing and when.

use super::{Flow, Nanos};

/// One run of traffic, reconciled after it came to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of the flows given.
    pub flows: Vec<FlowReport>,
    /// What could make a packet missing without a program's doing.
    pub losses: Losses,
    /// From the first packet to the last sent.
    pub lasted: std::time::Duration,
}

impl Report {
    /// Packets sent, over all flows.
    pub fn sent(&self) -> u64 {
        self.flows.iter().map(FlowReport::sent).sum()
    }

    /// Packets that arrived, over all flows, duplicates not counted.
    pub fn received(&self) -> u64 {
        self.flows.iter().map(FlowReport::received).sum()
    }

    /// Packets sent per second.
    pub fn rate(&self) -> f64 {
        self.sent() as f64 / self.lasted.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Packets lost for other reasons than a program, and packets that were not ours. All zero means that missing is denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// UDP packets that found a socket's buffer full, in the namespaces that receive (`RcvbufErrors`).
    pub full_buffers: u64,
    /// UDP packets with a wrong checksum there (`InCsumErrors`).
    pub wrong_checksums: u64,
    /// UDP packets that found no socket there (`NoPorts`).
    pub no_socket: u64,
    /// Packets that a sending namespace's own stack threw away (`SndbufErrors`).
    pub not_sent: u64,
    /// Packets that found a processor's backlog full, on the whole machine (`/proc/net/softnet_stat`).
    pub full_backlogs: u64,
    /// Packets that arrived at a socket and were not of this run, or not of a flow of that socket.
    pub strangers: u64,
}

/// One flow, packet by packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowReport {
    /// Which.
    pub flow: Flow,
    /// Copies of packets that had arrived already.
    pub duplicates: u64,
    /// Packets that arrived after one of a higher number. Where this is not zero, [`Packet::until`] of a missing packet
    /// may be too early.
    pub reordered: u64,
    pub(super) sent_at: Vec<Nanos>,
    pub(super) arrived_at: Vec<Nanos>,
    pub(super) rest: Nanos,
}

/// What is known of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its number, from 0.
    pub number: u64,
    /// Read just before it was sent.
    pub from: Nanos,
    /// Every program on its way had decided by then: its arrival or, when missing, that of the next one that arrived, or
    /// the end of the run.
    pub until: Nanos,
    /// Whether it arrived.
    pub arrived: bool,
}

/// Consecutive packets that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first number.
    pub first: u64,
    /// The last number, included.
    pub last: u64,
    /// Read just before the first was sent.
    pub from: Nanos,
    /// Every program had decided on the last by then.
    pub until: Nanos,
}

/// An arrival that did not happen.
pub(super) const NEVER: Nanos = Nanos(0);

impl FlowReport {
    /// Packets sent.
    pub fn sent(&self) -> u64 {
        self.sent_at.len() as u64
    }

    /// Packets that arrived, duplicates not counted.
    pub fn received(&self) -> u64 {
        self.arrived_at.iter().filter(|&&at| at != NEVER).count() as u64
    }

    /// Every packet, by number.
    pub fn packets(&self) -> Vec<Packet> {
        let mut until = self.rest;
        let mut all: Vec<Packet> = (0..self.sent_at.len())
            .rev()
            .map(|index| {
                let at = self.arrived_at.get(index).copied().unwrap_or(NEVER);
                let arrived = at != NEVER;
                until = if arrived { at } else { until };
                Packet { number: index as u64, from: self.sent_at[index], until, arrived }
            })
            .collect();
        all.reverse();
        all
    }

    /// What is missing, in order: disjoint, not adjacent, empty when everything arrived.
    pub fn missing(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = vec![];
        for packet in self.packets().into_iter().filter(|packet| !packet.arrived) {
            match gaps.last_mut().filter(|gap| gap.last + 1 == packet.number) {
                Some(gap) => (gap.last, gap.until) = (packet.number, packet.until),
                None => {
                    let Packet { number, from, until, .. } = packet;
                    gaps.push(Gap { first: number, last: number, from, until });
                }
            }
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::probe::End;
    use crate::topology::Place;

    #[test]
    fn a_missing_packet_was_decided_before_the_next_that_arrived() {
        let end = End { place: Place::World, address: Ipv4Addr::LOCALHOST.into() };
        let flow = Flow { from: end, from_port: 1, to: end, to_port: 2, rate: 1, payload_bytes: 16 };
        let nanos = |list: &[u64]| list.iter().map(|&at| Nanos(at)).collect();
        let (sent_at, arrived_at) = (nanos(&[10, 20, 30, 40, 50]), nanos(&[11, 0, 0, 44]));
        let report = FlowReport { flow, duplicates: 0, reordered: 0, sent_at, arrived_at, rest: Nanos(99) };
        let gap = |first, last, from, until| Gap { first, last, from: Nanos(from), until: Nanos(until) };
        assert_eq!(report.missing(), [gap(1, 2, 20, 44), gap(4, 4, 50, 99)]);
        assert_eq!((report.sent(), report.received()), (5, 2));
    }
}
