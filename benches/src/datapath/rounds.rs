//! All shapes of a group in turn, round after round, so that whatever else the machine does falls on all of them.

use super::kernel::{Error, Subject};
use super::wrap::TCX_NEXT;
use crate::clock::median;
use std::hint::black_box;
use std::time::Duration;

/// How long measurements take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Rounds of a group; odd.
    pub rounds: usize,
    /// Processor time of one sample.
    pub sample: Duration,
}

impl Effort {
    /// For a look: seconds in all.
    pub const QUICK: Effort = Effort { rounds: 11, sample: Duration::from_micros(1200) };
    /// For the record.
    pub const FULL: Effort = Effort { rounds: 31, sample: Duration::from_micros(3000) };
}

/// What the caches hold when a sample begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caches {
    /// The subject's own tables: every sample follows one of the same length that does not count.
    Warm,
    /// Something else: before every sample more memory is gone through than the caches nearby hold, and samples are short.
    Swept,
}

/// Bytes that are gone through to sweep the caches: eight times those of the second level here.
const SWEEP: usize = 16 << 20;
/// Bytes of a line of a cache.
const LINE: usize = 64;
/// Packets of a sample that begins with swept caches.
const SWEPT_PACKETS: u32 = 64;

/// Nanoseconds a packet of each subject over the baseline, the first one: the medians of the differences within a round.
///
/// Shape: as many as there are subjects after the first.
pub fn net(subjects: &[&Subject], frame: &[u8], effort: Effort, caches: Caches) -> Result<Vec<f64>, Error> {
    let mut memory = vec![1u8; if caches == Caches::Swept { SWEEP } else { 0 }];
    let mut repeats = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let guess = subject.time(frame, 64)?.max(1.0);
        let repeat = (effort.sample.as_nanos() as f64 / guess).clamp(16.0, 1e6) as u32;
        let warm = subject.time(frame, repeat)?.max(1.0);
        repeats.push((effort.sample.as_nanos() as f64 / warm).clamp(16.0, 1e6) as u32);
    }
    let mut differences = vec![Vec::with_capacity(effort.rounds); subjects.len().saturating_sub(1)];
    for _ in 0..effort.rounds {
        let mut baseline = None;
        for (at, (subject, repeat)) in subjects.iter().zip(&repeats).enumerate() {
            // Its own tables back into the caches: the subject before has left its own there.
            if subject.run(frame, *repeat)? != TCX_NEXT {
                return Err(Error::Wrong("a packet that the rules allow was dropped while it was measured".into()));
            }
            let time = match caches {
                Caches::Warm => subject.time(frame, *repeat)?,
                Caches::Swept => {
                    memory.iter_mut().step_by(LINE).for_each(|byte| *byte = byte.wrapping_add(1));
                    black_box(&memory);
                    subject.time(frame, SWEPT_PACKETS)?
                }
            };
            match baseline {
                None => baseline = Some(time),
                Some(baseline) => differences[at - 1].push(time - baseline),
            }
        }
    }
    Ok(differences.into_iter().map(median).collect())
}
