//! The same meaning by key first: what code generators need.

use std::hash::{BuildHasher, Hash};

use flow::{L4Key, Verdict};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::diagram::{ClassId, Diagram};
use crate::limits::{Limits, TooLarge};

/// Keys with one and the same verdict in every class.
///
/// Units: dense, from 0, by first occurrence over ascending keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

/// A diagram, key first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    cuts: Vec<(L4Key, ColumnId)>,
    classes: usize,
    verdicts: Vec<Verdict>,
}

impl Diagram {
    /// How many keys begin an interval in some class; at least 1.
    pub fn cuts(&self) -> usize {
        self.starts().len()
    }

    /// The diagram by key first.
    ///
    /// Errors: cuts times classes exceed [`Limits::cells`], found before anything is built. Cost: that product.
    pub fn columns(&self, limits: &Limits) -> Result<Columns, TooLarge> {
        let starts = self.starts();
        let classes = self.classes();
        TooLarge::check("cells", starts.len() as u64 * classes as u64, limits.cells)?;
        // Where each class changes, by key: a walk over the cuts then touches only what changes.
        let mut changes: Vec<(L4Key, u32, Verdict)> = (0..)
            .zip(self.maps())
            .flat_map(|(class, map)| map.intervals().iter().map(move |&(start, verdict)| (start, class, verdict)))
            .collect();
        changes.sort_unstable();
        let mut changes = changes.into_iter().peekable();
        let mut current = vec![Verdict::DENY; classes];
        let mut known: FxHashMap<u64, Vec<ColumnId>> = FxHashMap::default();
        let mut out = Columns { cuts: Vec::with_capacity(starts.len()), classes, verdicts: Vec::new() };
        for start in starts {
            while let Some((_, class, verdict)) = changes.next_if(|(at, ..)| *at == start) {
                current[class as usize] = verdict;
            }
            let same = known.entry(hash(&current)).or_default();
            let column = match same.iter().find(|column| out.column(**column) == current) {
                Some(column) => *column,
                None => {
                    let column = ColumnId(out.columns() as u32);
                    out.verdicts.extend_from_slice(&current);
                    same.push(column);
                    column
                }
            };
            // Neighbours differ without a look: some class changes at every start.
            out.cuts.push((start, column));
        }
        Ok(out)
    }

    fn starts(&self) -> Vec<L4Key> {
        let mut starts: Vec<L4Key> =
            self.maps().iter().flat_map(|map| map.intervals().iter().map(|(start, _)| *start)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

impl Columns {
    /// The stretches of keys by their first key.
    ///
    /// Shape: as in [`crate::L4Map`]: the first begins at the least key, neighbours differ.
    pub fn cuts(&self) -> &[(L4Key, ColumnId)] {
        &self.cuts
    }

    /// How many distinct columns there are; at least 1.
    pub fn columns(&self) -> usize {
        self.verdicts.len() / self.classes
    }

    /// How many classes each column answers for; at least 1.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The verdicts of a column by class; empty for a column of another diagram.
    pub fn column(&self, column: ColumnId) -> &[Verdict] {
        let from = column.0 as usize * self.classes;
        self.verdicts.get(from..from + self.classes).unwrap_or(&[])
    }

    /// The verdict of one cell; `None` when the column or the class is of another diagram.
    pub fn verdict(&self, column: ColumnId, class: ClassId) -> Option<Verdict> {
        self.column(column).get(class.0 as usize).copied()
    }

    /// The column of a key. Cost: logarithmic in the cuts.
    pub fn column_of(&self, key: L4Key) -> ColumnId {
        let at = self.cuts.partition_point(|(start, _)| *start <= key);
        // Cannot panic: the first cut is the least key, so at least one is at or before `key`.
        self.cuts[at - 1].1
    }

    /// The verdict of a class and key.
    pub fn eval(&self, class: ClassId, key: L4Key) -> Option<Verdict> {
        self.verdict(self.column_of(key), class)
    }
}

fn hash(verdicts: &[Verdict]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    verdicts.hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}
