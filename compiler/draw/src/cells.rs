//! The cells of a decision: which rules are behind each, as programs number them.

use crate::Decision;
use crate::leaves::{Asked, Leaf};
use diagram::{ClassId, Limits};
use flow::{L4Key, L4Set};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most cells that are listed; nobody reads more.
pub const MAX_CELLS: u64 = 4096;

/// The classes, the columns, and for each leaf the cells that lead to it, with everything that makes it so.
///
/// Shape: lines; `cell = column * classes + class`, as an image counts packets and as its records say it. More than [`MAX_CELLS`] are only counted.
pub fn cells(decision: &Decision<'_>) -> String {
    let limits = Limits { cells: MAX_CELLS, ..Limits::default() };
    let columns = match decision.diagram.columns(&limits) {
        Ok(columns) => columns,
        Err(problem) => return format!("its cells are not listed: {problem}\n"),
    };
    let mut out = String::new();
    for (class, members) in decision.members().iter().enumerate() {
        let _ = writeln!(out, "class {class}: {members}");
    }
    let mut stretches: BTreeMap<u32, Vec<(L4Key, L4Key)>> = BTreeMap::new();
    for (at, (low, column)) in columns.cuts().iter().enumerate() {
        // Cannot miss: cuts ascend, so one that follows another is not the least key.
        let next = columns.cuts().get(at + 1).and_then(|(next, _)| L4Key::from_raw(next.raw().checked_sub(1)?));
        stretches.entry(column.0).or_default().push((*low, next.unwrap_or(L4Key::MAX)));
    }
    for (column, keys) in &stretches {
        let _ = writeln!(out, "column {column}: {}", L4Set::from_intervals(keys.iter().copied()));
    }
    let classes = columns.classes();
    let asked = Asked::of(decision);
    // By leaf: its cells, ascending.
    let mut leaves: BTreeMap<Leaf, Vec<usize>> = BTreeMap::new();
    for (column, keys) in &stretches {
        for class in 0..classes {
            let by = asked.by(ClassId(class as u32), keys);
            let verdict = decision.diagram.l4(ClassId(class as u32)).eval(keys[0].0);
            leaves.entry(Leaf { verdict, by }).or_default().push(*column as usize * classes + class);
        }
    }
    let _ = writeln!(out, "cell = column * {classes} + class");
    let mut rows: Vec<(Vec<usize>, Leaf)> = leaves.into_iter().map(|(leaf, cells)| (cells, leaf)).collect();
    rows.sort();
    for (cells, leaf) in &rows {
        let causes = decision.causes(leaf);
        let causes =
            if causes.is_empty() { "no policy isolates it".to_owned() } else { format!("by {}", causes.join(" and ")) };
        let _ = writeln!(
            out,
            "{} {}: {}  {causes}",
            if cells.len() == 1 { "cell" } else { "cells" },
            runs(cells),
            leaf.verdict
        );
    }
    out
}

/// Ascending numbers, neighbours joined: `0, 3-5`.
fn runs(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let words = |(low, high): &(usize, usize)| if low == high { low.to_string() } else { format!("{low}-{high}") };
    runs.iter().map(words).collect::<Vec<_>>().join(", ")
}
