//! Time that this thread had a processor for, and the figure that stands for many samples.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;

/// The processor time of this thread: what other programs take in between does not count.
pub fn thread_time() -> Duration {
    // The clock exists on every kernel since 2.6.12; a reading of zero would show at once as a division by nothing.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// The processor time of all threads of this process.
pub fn process_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// Keeps this thread on the last processor, so that its caches stay its own. `false` where that is not permitted.
pub fn pin() -> bool {
    pin_to(std::thread::available_parallelism().map_or(0, |count| count.get() - 1))
}

/// Keeps this thread on a processor. `false` where that is not permitted, or there is no such processor.
pub fn pin_to(processor: usize) -> bool {
    let mut set = CpuSet::new();
    set.set(processor).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set)).is_ok()
}

/// The middle value; the mean of the two in the middle for an even number of them, 0 for none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The value that this share of all values does not exceed, between 0 and 1; 0 for none.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.saturating_sub(1)).or(values.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_move_the_median() {
        assert_eq!(median(vec![3.0, 1.0, 900.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 900.0]), 3.0);
        assert_eq!(median(vec![]), 0.0);
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(quantile(values.clone(), 0.99), 198.0);
        assert_eq!(quantile(values, 1.0), 200.0);
        assert_eq!(quantile(vec![3.0], 0.5), 3.0);
        assert_eq!(quantile(vec![], 0.99), 0.0);
    }
}
