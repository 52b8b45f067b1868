//! From a key to its column by comparisons that are summed up without a jump.
//!
//! Each comparison adds a number to a sum or nothing: what a column is more than the one around it. A stretch between two of one column that
//! is one key, one protocol, or another block of an aligned power of two is one comparison; every other boundary is one, too.

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Adds for keys from `at` on.
    Step {
        /// The first key, not 0.
        at: u32,
        /// What is added.
        delta: i32,
    },
    /// Adds for keys with `key >> shift == value`.
    Block {
        /// 0 for one key, 16 for a protocol.
        shift: u32,
        /// The key's upper bits.
        value: u32,
        /// What is added.
        delta: i32,
    },
}

/// A sum of comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// What the sum begins with.
    pub base: i32,
    /// What is added to it.
    pub terms: Vec<Term>,
}

/// Keys end before this one.
pub(super) const END: u32 = 1 << 24;

impl Sum {
    /// The sum whose value is `scale` times the column of a key. Cuts are those of a [`super::matrix::Matrix`] that was checked.
    pub fn of(cuts: &[(u32, u32)], scale: u32) -> Sum {
        let mut cuts = joined(cuts.iter().copied());
        let mut terms = Vec::new();
        // A checked matrix has no more cells than fit into 22 bits.
        let delta = |from: u32, to: u32| (i64::from(to) - i64::from(from)) as i32 * scale as i32;
        while let Some(at) = inner(&cuts) {
            let (around, (start, column), end) = (cuts[at - 1].1, cuts[at], cuts[at + 1].0);
            let (more, size) = (delta(around, column), end - start);
            if size.is_power_of_two() && start % size == 0 {
                terms.push(Term::Block { shift: size.trailing_zeros(), value: start / size, delta: more });
            } else {
                terms.extend([Term::Step { at: start, delta: more }, Term::Step { at: end, delta: -more }]);
            }
            cuts.remove(at);
            cuts = joined(cuts.into_iter());
        }
        let steps = cuts.windows(2).map(|pair| Term::Step { at: pair[1].0, delta: delta(pair[0].1, pair[1].1) });
        terms.extend(steps);
        Sum { base: delta(0, cuts.first().map_or(0, |it| it.1)), terms }
    }
}

/// Cuts without those at which nothing changes.
pub(super) fn joined(cuts: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for cut in cuts {
        if out.last().is_none_or(|last| last.1 != cut.1) {
            out.push(cut);
        }
    }
    out
}

/// The shortest stretch between two of one column: without it they are one, which may be such a stretch again.
fn inner(cuts: &[(u32, u32)]) -> Option<usize> {
    let between = (1..cuts.len().saturating_sub(1)).filter(|at| cuts[at - 1].1 == cuts[at + 1].1);
    between.min_by_key(|at| cuts[at + 1].0 - cuts[*at].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(sum: &Sum, key: u32) -> i32 {
        let of = |term: &Term| match *term {
            Term::Step { at, delta } => i32::from(key >= at) * delta,
            Term::Block { shift, value, delta } => i32::from(key >> shift == value) * delta,
        };
        sum.base + sum.terms.iter().map(of).sum::<i32>()
    }

    #[test]
    fn a_sum_gives_every_key_its_column() {
        // TCP but for a port and a range; one port of UDP that is of two columns; the last key.
        let cuts = [
            (0, 1),
            (0x06_0000, 2),
            (0x06_0050, 0),
            (0x06_0051, 2),
            (0x06_1000, 3),
            (0x06_1003, 2),
            (0x07_0000, 1),
            (0x11_0035, 4),
            (0x11_0036, 5),
            (0xff_ffff, 0),
        ];
        let sum = Sum::of(&cuts, 3);
        for (start, _) in cuts {
            for key in [start.saturating_sub(1), start, (start + 1).min(END - 1)] {
                let at = cuts.partition_point(|(start, _)| *start <= key) - 1;
                assert_eq!(eval(&sum, key), 3 * cuts[at].1 as i32, "{key:#x}: {sum:?}");
            }
        }
        let blocks = sum.terms.iter().filter(|it| matches!(it, Term::Block { .. })).count();
        assert_eq!((blocks, sum.terms.len()), (2, 7), "port and protocol; both ends of the range; three boundaries");
    }
}
