//! Which policies may have judged a packet, given when it was on its way and when policies changed.

use std::ops::RangeInclusive;

use super::Nanos;

/// One change of policy, as the caller saw it: it took effect somewhere between the two moments, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Read before the change was asked for.
    pub began: Nanos,
    /// Read after the change was known to hold everywhere.
    pub ended: Nanos,
}

/// The policies that may have judged a packet which was on its way from `from` to `until`.
///
/// Shape: policy 0 holds before `swaps[0]`, policy `i` from `swaps[i - 1]` to `swaps[i]`; `swaps` are in order and do not
/// overlap; never empty.
pub fn possible(swaps: &[Swap], from: Nanos, until: Nanos) -> RangeInclusive<usize> {
    let first = swaps.partition_point(|swap| swap.ended < from);
    let last = swaps.partition_point(|swap| swap.began <= until);
    first..=last.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_between_two_swaps_has_one_policy_and_one_during_a_swap_has_two() {
        let swap = |began, ended| Swap { began: Nanos(began), ended: Nanos(ended) };
        let swaps = [swap(10, 12), swap(20, 22)];
        let check = |from, until, expected| assert_eq!(possible(&swaps, Nanos(from), Nanos(until)), expected);
        check(1, 9, 0..=0);
        check(1, 10, 0..=1);
        check(12, 12, 0..=1);
        check(13, 19, 1..=1);
        check(11, 21, 0..=2);
        check(23, 99, 2..=2);
        assert_eq!(possible(&[], Nanos(1), Nanos(2)), 0..=0);
    }
}
