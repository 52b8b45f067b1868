//! From a key to its column by comparisons that jump.
//!
//! The layout follows what is known of the traffic: hot single keys are asked for first, one after the other; the rest is halved where the
//! expected time is least. Where nothing is known every stretch of keys is as likely as any other.

use super::matrix::Matrix;
use super::price::{BRANCH, MISS};
use super::sum::{END, joined};
use std::collections::{BTreeMap, BTreeSet};

/// The greatest number of stretches of keys that become a tree.
pub const MOST_STRETCHES: usize = 33;
/// The most single keys that are asked for before the rest is halved.
const MOST_SINGLES: usize = 16;
/// All weights together are at most about this much, so that times by weights fit.
const WEIGHTS: u64 = 1 << 32;

/// A place in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// The column.
    End(u32),
    /// Whether the key is this one.
    Is(u32, u32, Box<Node>),
    /// Whether the key is below this one: yes, no.
    Below(u32, Box<Node>, Box<Node>),
}

impl Node {
    /// The columns that it ends in, each once.
    pub fn columns(&self) -> BTreeSet<u32> {
        match self {
            Node::End(column) => BTreeSet::from([*column]),
            Node::Is(_, column, next) => next.columns().into_iter().chain([*column]).collect(),
            Node::Below(_, below, above) => &below.columns() | &above.columns(),
        }
    }

    /// The column where control goes that never jumps ahead.
    pub(super) fn last(&self) -> u32 {
        match self {
            Node::End(column) => *column,
            Node::Is(_, _, next) => next.last(),
            Node::Below(_, below, above) => match **above {
                Node::End(_) if !matches!(**below, Node::End(_)) => below.last(),
                _ => above.last(),
            },
        }
    }
}

/// A tree and what it is expected to cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Where it begins.
    pub root: Node,
    /// Picoseconds of its comparisons, weighted by traffic.
    pub picos: u64,
    /// The column that most traffic has: its end is reached without a last jump.
    pub hottest: u32,
}

/// Keys from `start` on of one column, with their share of the traffic.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: u32,
    end: u32,
    column: u32,
    weight: u64,
}

impl Tree {
    /// The best tree of a matrix. Shape: `None` for one with too many stretches.
    pub fn of(matrix: &Matrix) -> Option<Tree> {
        let stretches = stretches(matrix);
        if stretches.len() > MOST_STRETCHES {
            return None;
        }
        let mut singles: Vec<Stretch> = stretches.iter().copied().filter(|it| it.end - it.start == 1).collect();
        singles.sort_by_key(|it| (std::cmp::Reverse(it.weight), it.start));
        singles.truncate(MOST_SINGLES);
        // Without hits there is nothing to choose singles by: all or none.
        let counts: Vec<usize> =
            if matrix.hits.is_empty() { vec![0, singles.len()] } else { (0..=singles.len()).collect() };
        let total: u64 = stretches.iter().map(|it| it.weight).sum();
        let trees = counts.into_iter().map(|count| {
            let (rest, first) = (without(&stretches, &singles[..count]), &singles[..count]);
            let (mut root, mut picos) = halved(&rest);
            let mut behind: u64 = rest.iter().map(|it| it.weight).sum();
            for single in first.iter().rev() {
                picos += test(single.weight, behind);
                behind += single.weight;
                root = Node::Is(single.start, single.column, Box::new(root));
            }
            (picos / total.max(1), root)
        });
        let (picos, root) = trees.min_by_key(|(picos, _)| *picos)?;
        let mut weights: BTreeMap<u32, u64> = BTreeMap::new();
        for it in &stretches {
            *weights.entry(it.column).or_default() += it.weight;
        }
        let hottest = weights.iter().max_by_key(|(column, weight)| (**weight, std::cmp::Reverse(**column)))?;
        Some(Tree { root, picos, hottest: *hottest.0 })
    }
}

/// The time of one comparison, by the weights of its two ways: a processor guesses the heavier one.
fn test(one: u64, other: u64) -> u64 {
    BRANCH * (one + other) + MISS * one.min(other)
}

/// The stretches of a matrix, weighted.
fn stretches(matrix: &Matrix) -> Vec<Stretch> {
    let cuts = joined(matrix.cuts.iter().copied());
    let ends = cuts.iter().skip(1).map(|cut| cut.0).chain([END]);
    let shares = |column: u32| cuts.iter().filter(|cut| cut.1 == column).count() as u64;
    let scale = matrix.hits.iter().fold(0u64, |all, hits| all.saturating_add(*hits)) / WEIGHTS + 1;
    let weight = |column: u32| {
        let from = (column * matrix.class_count) as usize;
        let cells = matrix.hits.get(from..from + matrix.class_count as usize);
        // Hits of a column are those of all its stretches; which of them was hit is not counted.
        cells.map_or(1, |cells| cells.iter().map(|hits| hits / scale).sum::<u64>() / shares(column) + 1)
    };
    let stretch = |((start, column), end): (&(u32, u32), u32)| Stretch {
        start: *start,
        end,
        column: *column,
        weight: weight(*column),
    };
    cuts.iter().zip(ends).map(stretch).collect()
}

/// What is left when some single keys were asked for: their places are their neighbours'.
fn without(stretches: &[Stretch], gone: &[Stretch]) -> Vec<Stretch> {
    let mut rest: Vec<Stretch> = Vec::new();
    for stretch in stretches.iter().filter(|it| gone.iter().all(|gone| gone.start != it.start)) {
        match rest.last_mut() {
            Some(last) if last.column == stretch.column => {
                last.end = stretch.end;
                last.weight += stretch.weight;
            }
            _ => rest.push(*stretch),
        }
    }
    rest
}

/// The best tree of comparisons with boundaries, and its time by weight.
fn halved(stretches: &[Stretch]) -> (Node, u64) {
    let count = stretches.len();
    let mut sums = vec![0u64; count + 1];
    for (at, stretch) in stretches.iter().enumerate() {
        sums[at + 1] = sums[at] + stretch.weight;
    }
    // By length: the best place to halve from `i` to `j`, and what it costs.
    let mut best = vec![vec![(0u64, 0usize); count + 1]; count + 1];
    for length in 2..=count {
        for i in 0..=count - length {
            let j = i + length;
            let costs =
                (i + 1..j).map(|at| (test(sums[at] - sums[i], sums[j] - sums[at]) + best[i][at].0 + best[at][j].0, at));
            best[i][j] = costs.min().unwrap_or_default();
        }
    }
    (node(stretches, &best, 0, count), best[0][count].0)
}

fn node(stretches: &[Stretch], best: &[Vec<(u64, usize)>], from: usize, to: usize) -> Node {
    if to - from < 2 {
        return Node::End(stretches.get(from).map_or(0, |it| it.column));
    }
    let at = best[from][to].1;
    let (below, above) = (node(stretches, best, from, at), node(stretches, best, at, to));
    Node::Below(stretches[at].start, Box::new(below), Box::new(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column of a key, and after how many comparisons.
    fn eval(node: &Node, key: u32) -> (u32, u32) {
        let next = match node {
            Node::End(column) => return (*column, 0),
            Node::Is(this, column, _) if *this == key => return (*column, 1),
            Node::Is(_, _, next) => next,
            Node::Below(this, yes, no) => {
                if key < *this {
                    yes
                } else {
                    no
                }
            }
        };
        let (column, depth) = eval(next, key);
        (column, depth + 1)
    }

    fn matrix(hits: &[u64]) -> Matrix {
        let ports = 20u32;
        let mut cuts = vec![(0, 0)];
        for port in 1..=ports / 2 {
            cuts.extend([(0x06_0000 + port * 10, port), (0x06_0001 + port * 10, 0)]);
        }
        cuts.extend([(0x11_0000, 11), (0x12_0000, 0)]);
        let mut matrix = Matrix::allow();
        (matrix.cuts, matrix.leaves, matrix.hits) = (cuts, vec![0; 12], hits.to_vec());
        matrix
    }

    #[test]
    fn a_tree_gives_every_key_its_column_whatever_is_hot() {
        let hot = |at: usize| (0..12).map(|it| if it == at { 1_000_000 } else { 3 }).collect::<Vec<u64>>();
        for hits in [vec![], hot(0), hot(7), hot(11), vec![0; 12], vec![u64::MAX; 12]] {
            let matrix = matrix(&hits);
            let tree = Tree::of(&matrix).unwrap();
            for (start, _) in &matrix.cuts {
                for key in [start.saturating_sub(1), *start, start + 1] {
                    assert_eq!(eval(&tree.root, key).0, matrix.column_of(key), "{key:#x} of {hits:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_hot_is_found_with_one_comparison() {
        let mut hits = vec![3; 12];
        hits[7] = 1_000_000;
        let (cold, hot) = (Tree::of(&matrix(&[])).unwrap(), Tree::of(&matrix(&hits)).unwrap());
        assert_eq!(eval(&hot.root, 0x06_0000 + 70), (7, 1));
        assert!(eval(&cold.root, 0x06_0000 + 70).1 > 1);
        assert!(hot.picos < cold.picos / 3, "{} and {}", hot.picos, cold.picos);
        assert_eq!(hot.hottest, 7);
    }
}
