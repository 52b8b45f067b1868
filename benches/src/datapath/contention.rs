//! Two threads on two processors through one program at once, next to one thread alone.

use super::kernel::{Error, Subject};
use super::rounds::Effort;
use super::wrap::{LANE, TCX_NEXT};
use crate::clock::{median, pin_to, thread_time};
use std::sync::Barrier;
use std::thread;

/// Nanoseconds a packet of one thread alone, and of each of two at once, over those of the baseline in the same setting.
#[derive(Clone, Copy, Debug)]
pub struct Contended {
    /// One thread.
    pub alone: f64,
    /// Each of two.
    pub together: f64,
}

/// Measures each subject after the first, which is the baseline. The threads are kept on processors 0 and 1.
pub fn net(subjects: &[&Subject], frame: &[u8], effort: Effort) -> Result<Vec<Contended>, Error> {
    let frames = [0, 1].map(|lane| {
        let mut frame = frame.to_vec();
        frame[LANE] = frame[LANE] & !1 | lane;
        frame
    });
    let mut samples = vec![(Vec::new(), Vec::new()); subjects.len().saturating_sub(1)];
    let guess = subjects.iter().map(|it| it.time(&frames[0], 4096)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..effort.rounds {
        let mut baseline = None;
        for (at, subject) in subjects.iter().enumerate() {
            let repeat = (effort.sample.as_nanos() as f64 / guess[at].max(1.0)).clamp(16.0, 1e6) as u32;
            let (alone, together) = (run(subject, &frames[..1], repeat)?, run(subject, &frames, repeat)?);
            match baseline {
                None => baseline = Some((alone, together)),
                Some((a, b)) => {
                    samples[at - 1].0.push(alone - a);
                    samples[at - 1].1.push(together - b);
                }
            }
        }
    }
    Ok(samples.into_iter().map(|(a, b)| Contended { alone: median(a), together: median(b) }).collect())
}

/// Nanoseconds of processor time a packet, the mean of as many threads as there are frames.
fn run(subject: &Subject, frames: &[Vec<u8>], repeat: u32) -> Result<f64, Error> {
    let start = Barrier::new(frames.len());
    let each = thread::scope(|scope| {
        let thread = |(processor, frame): (usize, &Vec<u8>)| {
            let (start, frame) = (&start, frame.clone());
            scope.spawn(move || {
                pin_to(processor);
                let warm = subject.run(&frame, repeat);
                start.wait();
                let begin = thread_time();
                let answer = subject.run(&frame, repeat);
                let time = thread_time() - begin;
                warm?;
                match answer? {
                    TCX_NEXT => Ok(time.as_nanos() as f64 / f64::from(repeat)),
                    _ => Err(Error::Wrong("a packet that the rules allow was dropped while it was measured".into())),
                }
            })
        };
        let threads: Vec<_> = frames.iter().enumerate().map(thread).collect();
        threads
            .into_iter()
            .map(|it| it.join().unwrap_or_else(|_| Err(Error::Wrong("a thread of the measurement panicked".into()))))
            .collect::<Result<Vec<f64>, Error>>()
    })?;
    Ok(each.iter().sum::<f64>() / each.len() as f64)
}
