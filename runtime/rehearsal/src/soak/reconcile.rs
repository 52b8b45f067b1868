//! Which outcomes each packet may have had.

use lab::traffic::{Flow, FlowReport, Nanos, Packet, Swap, possible};
use std::ops::RangeInclusive;

/// In how wide a stretch of time the slowest arrival is taken. Units: nanoseconds.
const STRETCH: u64 = 10_000_000;

/// Whether a flow passes, in each epoch, with what all earlier epochs say in sum.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// At `i`: how many of the epochs before `i` let it pass.
    passing: Vec<u32>,
}

impl Verdicts {
    /// Adds the next epoch.
    pub fn push(&mut self, passes: bool) {
        let last = self.passing.last().copied().unwrap_or_default();
        if self.passing.is_empty() {
            self.passing.push(0);
        }
        self.passing.push(last + u32::from(passes));
    }

    /// Of these epochs: how many there are, and how many let the flow pass.
    fn among(&self, epochs: &RangeInclusive<usize>) -> (u32, u32) {
        let at = |epoch: usize| self.passing.get(epoch).or(self.passing.last()).copied().unwrap_or_default();
        ((epochs.end() - epochs.start() + 1) as u32, at(epochs.end() + 1) - at(*epochs.start()))
    }

    /// In how many of the epochs from `first` on the flow passes, and how many these are.
    pub fn since(&self, first: usize) -> (u32, u32) {
        let epochs = self.passing.len().saturating_sub(1);
        if first >= epochs {
            return (0, 0);
        }
        let (all, passing) = self.among(&(first..=epochs - 1));
        (passing, all)
    }
}

/// A packet with an outcome that no epoch explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// Of which flow.
    pub flow: Flow,
    /// The packet.
    pub packet: Packet,
    /// The epochs that may have judged it.
    pub epochs: RangeInclusive<usize>,
}

/// What became of the packets of one flow, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sent.
    pub sent: u64,
    /// Arrived, as an epoch allows.
    pub passed: u64,
    /// Missing, as an epoch denies.
    pub denied: u64,
    /// Arrived though no epoch that may have judged them lets them pass.
    pub leaked: u64,
    /// Missing though every epoch that may have judged them lets them pass.
    pub lost: u64,
    /// Arrived twice.
    pub duplicates: u64,
    /// Those whose epochs all say the same, so that only one outcome was right.
    pub certain: u64,
    /// The first of those leaked or lost.
    pub unexplained: Vec<Unexplained>,
}

/// How many unexplained packets are kept.
const KEPT: usize = 20;

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Tally) {
        self.sent += other.sent;
        self.passed += other.passed;
        self.denied += other.denied;
        self.leaked += other.leaked;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.certain += other.certain;
        self.unexplained.extend(other.unexplained);
        self.unexplained.truncate(KEPT);
    }
}

/// The slowest arrivals of a run: how long a packet that was sent at some moment may have been under way.
#[derive(Clone, Debug, Default)]
pub struct Slowest {
    start: u64,
    /// By stretch of time, the longest way of a packet that was sent in it.
    longest: Vec<u64>,
}

impl Slowest {
    /// Reads all arrivals.
    pub fn of(flows: &[FlowReport]) -> Slowest {
        let mut slowest = Slowest::default();
        for flow in flows {
            for packet in flow.packets().iter().filter(|packet| packet.arrived) {
                if slowest.start == 0 {
                    // A second of room, for flows that began earlier than the first one looked at.
                    slowest.start = packet.from.0.saturating_sub(1_000_000_000);
                }
                let at = slowest.stretch(packet.from);
                if slowest.longest.len() <= at {
                    slowest.longest.resize(at + 1, 0);
                }
                slowest.longest[at] = slowest.longest[at].max(packet.until.0.saturating_sub(packet.from.0));
            }
        }
        slowest
    }

    fn stretch(&self, at: Nanos) -> usize {
        (at.0.saturating_sub(self.start) / STRETCH) as usize
    }

    /// When a packet that was sent at this moment had arrived, had it not been dropped: no packet of any flow that was sent about then was
    /// under way for longer.
    fn latest(&self, sent: Nanos) -> Nanos {
        let at = self.stretch(sent);
        let around = self.longest.get(at.saturating_sub(1)..(at + 2).min(self.longest.len())).unwrap_or_default();
        Nanos(sent.0 + around.iter().copied().max().filter(|longest| *longest > 0).unwrap_or(STRETCH))
    }
}

/// Accounts for every packet of a flow.
///
/// When a missing packet was judged is known twice over: before the next one of its flow arrived, and before the slowest packet that
/// was sent next to it arrived. The earlier one counts. The sender may be interrupted between reading the clock and sending, so
/// it is the next packet's reading that bounds the sending of this one.
pub fn reconcile(report: &FlowReport, verdicts: &Verdicts, swaps: &[Swap], slowest: &Slowest) -> Tally {
    let packets = report.packets();
    let mut tally = Tally { sent: report.sent(), duplicates: report.duplicates, ..Tally::default() };
    for (at, packet) in packets.iter().enumerate() {
        let until = match (packet.arrived, packets.get(at + 1)) {
            (false, Some(next)) => packet.until.min(slowest.latest(next.from)),
            _ => packet.until,
        };
        let epochs = possible(swaps, packet.from, until);
        let (all, passing) = verdicts.among(&epochs);
        tally.certain += u64::from(passing == 0 || passing == all);
        let explained = match packet.arrived {
            true if passing > 0 => &mut tally.passed,
            true => &mut tally.leaked,
            false if passing < all => &mut tally.denied,
            false => &mut tally.lost,
        };
        *explained += 1;
        if (packet.arrived && passing == 0 || !packet.arrived && passing == all) && tally.unexplained.len() < KEPT {
            let packet = Packet { until, ..*packet };
            tally.unexplained.push(Unexplained { flow: report.flow, packet, epochs });
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_from_either_side() {
        let mut verdicts = Verdicts::default();
        [true, false, false, true].into_iter().for_each(|passes| verdicts.push(passes));
        let among = |from, to| verdicts.among(&(from..=to));
        assert_eq!((among(0, 0), among(1, 2), among(2, 3), among(0, 3)), ((1, 1), (2, 0), (2, 1), (4, 2)));
        assert_eq!((verdicts.since(1), verdicts.since(4)), ((1, 3), (0, 0)));
    }

    #[test]
    fn the_slowest_neighbour_bounds_a_missing_packet() {
        let slowest = Slowest { start: 1, longest: vec![5, 7, 0, 0, 0] };
        assert_eq!(slowest.latest(Nanos(2)), Nanos(9));
        assert_eq!(slowest.latest(Nanos(2 * STRETCH + 2)), Nanos(2 * STRETCH + 9));
        assert_eq!(slowest.latest(Nanos(4 * STRETCH + 2)), Nanos(5 * STRETCH + 2), "nothing arrived about then");
    }
}
