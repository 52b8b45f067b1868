//! How long answers took: what `tidegate lsp --stats` prints when the client is gone.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How many times of a method are kept.
const MOST: usize = 100_000;

/// What is noted of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// From the first message until the workspace was read.
    pub ready: Option<Duration>,
    /// By method: from the arrival of a message to its answer, or from an edit to its diagnostics.
    took: BTreeMap<String, Vec<Duration>>,
}

impl Stats {
    /// Notes one.
    pub fn note(&mut self, what: &str, took: Duration) {
        match self.took.get_mut(what) {
            // A session may last for weeks.
            Some(all) if all.len() >= MOST => {}
            Some(all) => all.push(took),
            None => drop(self.took.insert(what.to_owned(), vec![took])),
        }
    }

    /// The time within which that share of a method's answers came; `None` where there was none.
    pub fn within(&self, what: &str, share: f64) -> Option<Duration> {
        let mut all = self.took.get(what)?.clone();
        all.sort_unstable();
        let at = ((all.len() as f64 * share).ceil() as usize).clamp(1, all.len());
        all.get(at - 1).copied()
    }
}

/// A line a method: how often, the median, the 95th percentile, the longest; milliseconds.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |it: Option<Duration>| it.map_or(0.0, |it| it.as_secs_f64() * 1000.0);
        if let Some(ready) = self.ready {
            writeln!(f, "ready after {:.0} ms", ms(Some(ready)))?;
        }
        for (what, all) in &self.took {
            let at = |share| ms(self.within(what, share));
            writeln!(
                f,
                "{what}: {} times, p50 {:.1} ms, p95 {:.1} ms, longest {:.1} ms",
                all.len(),
                at(0.5),
                at(0.95),
                at(1.0)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_sorted_times() {
        let mut stats = Stats::default();
        (1..=20).rev().for_each(|it| stats.note("hover", Duration::from_millis(it)));
        let within = |share| stats.within("hover", share).map(|it| it.as_millis());
        assert_eq!([within(0.5), within(0.95), within(1.0)], [Some(10), Some(19), Some(20)]);
        assert_eq!(stats.within("other", 0.5), None);
        assert_eq!(stats.to_string(), "hover: 20 times, p50 10.0 ms, p95 19.0 ms, longest 20.0 ms\n");
    }
}
