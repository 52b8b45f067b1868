//! One verdict for every L4 key.

use std::fmt;

use flow::{L4Key, Verdict};

/// A total map from L4 key to verdict.
///
/// Shape: intervals by their first key, ascending; the first begins at [`L4Key::MIN`], each runs up to the next, the last
/// to [`L4Key::MAX`]; neighbours differ. Equal maps are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct L4Map {
    intervals: Box<[(L4Key, Verdict)]>,
}

impl L4Map {
    /// The map that gives every key one verdict.
    pub fn constant(verdict: Verdict) -> L4Map {
        L4Map { intervals: Box::new([(L4Key::MIN, verdict)]) }
    }

    /// The map with these intervals, ascending by first key; equal neighbours are joined.
    ///
    /// Errors: `None` when the first does not begin at [`L4Key::MIN`] or the keys do not ascend.
    pub fn from_intervals(intervals: impl IntoIterator<Item = (L4Key, Verdict)>) -> Option<L4Map> {
        let mut kept: Vec<(L4Key, Verdict)> = Vec::new();
        let mut last = None;
        for (start, verdict) in intervals {
            if last.map_or(start != L4Key::MIN, |last| start <= last) {
                return None;
            }
            last = Some(start);
            if kept.last().is_none_or(|(_, before)| *before != verdict) {
                kept.push((start, verdict));
            }
        }
        (!kept.is_empty()).then(|| L4Map { intervals: kept.into() })
    }

    /// The intervals by their first key.
    pub fn intervals(&self) -> &[(L4Key, Verdict)] {
        &self.intervals
    }

    /// The intervals with both ends included.
    pub fn ranges(&self) -> impl Iterator<Item = (L4Key, L4Key, Verdict)> + '_ {
        self.intervals.iter().enumerate().map(|(at, &(low, verdict))| {
            let high = self.intervals.get(at + 1).map_or(L4Key::MAX, |(next, _)| before(*next));
            (low, high, verdict)
        })
    }

    /// The verdict of one key. Cost: logarithmic in the intervals.
    pub fn eval(&self, key: L4Key) -> Verdict {
        let at = self.intervals.partition_point(|(start, _)| *start <= key);
        // Cannot panic: the first interval begins at the least key, so at least one begins at or before `key`.
        self.intervals[at - 1].1
    }

    /// The one verdict of every key, or `None` when there are several.
    pub fn as_constant(&self) -> Option<Verdict> {
        match &*self.intervals {
            [(_, verdict)] => Some(*verdict),
            _ => None,
        }
    }
}

impl fmt::Display for L4Map {
    /// For example `deny, tcp/80: allow, tcp/81: deny`: each verdict from its key on, the first from the least key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (start, verdict)) in self.intervals.iter().enumerate() {
            if at == 0 {
                write!(f, "{verdict}")?;
            } else {
                write!(f, ", {start}: {verdict}")?;
            }
        }
        Ok(())
    }
}

/// The key before one that is not the least.
pub(crate) fn before(key: L4Key) -> L4Key {
    L4Key::from_raw(key.raw().saturating_sub(1)).unwrap_or(L4Key::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: u32) -> L4Key {
        L4Key::from_raw(raw).unwrap()
    }

    #[test]
    fn equal_neighbours_become_one_interval() {
        let deny_then_allow = [(key(0), Verdict::DENY), (key(5), Verdict::DENY), (key(9), Verdict::ALLOW)];
        let map = L4Map::from_intervals(deny_then_allow).unwrap();
        assert_eq!(map.to_string(), "deny, 0/9: allow");
        assert_eq!((map.eval(key(8)), map.eval(L4Key::MAX)), (Verdict::DENY, Verdict::ALLOW));
    }

    #[test]
    fn a_map_that_is_not_total_or_not_ascending_is_refused() {
        assert_eq!(L4Map::from_intervals([]), None);
        assert_eq!(L4Map::from_intervals([(key(1), Verdict::DENY)]), None);
        assert_eq!(L4Map::from_intervals([(key(0), Verdict::DENY), (key(0), Verdict::ALLOW)]), None);
    }
}
