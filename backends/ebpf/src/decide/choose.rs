//! Which shape each step of a decision has: what is possible is priced, and the cheapest is taken.
//!
//! ```text
//!  peer ─► class    nothing │ array
//!  key ─► column    nothing │ sum of comparisons │ tree of comparisons │ pages
//!  cell ─► leaf     word in the code │ ends of the tree │ matrix
//! ```
//! docs/adr/0015-priced-shapes.md says which other shapes there are, and why none of them is asked.

use super::matrix::Matrix;
use super::price;
use super::sum::{END, Sum, joined};
use super::tree::Tree;
use image::layout::LEAF_ALLOW;
use image::{KeyPlan, LeafPlan};
use std::collections::BTreeSet;

/// The most comparisons that are summed up.
pub const MOST_TERMS: usize = 32;

/// Which shapes are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shapes {
    /// All of them.
    #[default]
    Cheapest,
    /// Columns and leaves from tables.
    Tables,
    /// Columns by a sum, where the keys have one that is not too long.
    Sum,
    /// Columns by a tree, where the keys have one that is not too large.
    Tree,
}

/// How a key becomes a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// There is one column.
    One,
    /// By a sum.
    Sum(Sum),
    /// By a tree.
    Tree(Tree),
    /// By pages: so many different slots and pages.
    Pages {
        /// Of 256 pages.
        slots: u32,
        /// Of 256 keys.
        pages: u32,
    },
}

/// How a cell becomes a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// From a word in the code, so many bits each.
    Word {
        /// 1 or 2.
        bits: u8,
        /// The first cell lowest.
        word: u64,
    },
    /// From a table.
    Matrix,
    /// Known where the tree ends.
    Ends,
}

/// What a step costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of tables.
    pub bytes: u64,
    /// Their elements.
    pub entries: u64,
    /// Words of code.
    pub instructions: u32,
    /// Picoseconds, by [`price`].
    pub picos: u64,
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            bytes: self.bytes + other.bytes,
            entries: self.entries + other.entries,
            instructions: self.instructions + other.instructions,
            picos: self.picos + other.picos,
        }
    }
}

/// A way to decide, priced step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// From the key to the column.
    pub key: Key,
    /// From the cell to the leaf.
    pub leaf: Leaf,
    /// Finding the class.
    pub class_cost: Cost,
    /// Finding the column, and the cell.
    pub key_cost: Cost,
    /// Finding the leaf, and acting on it.
    pub leaf_cost: Cost,
    /// Counting, and what every decision has.
    pub frame_cost: Cost,
}

impl Candidate {
    /// All of it.
    pub fn cost(&self) -> Cost {
        self.class_cost + self.key_cost + self.leaf_cost + self.frame_cost
    }

    /// The shape of the step from peer to class, in words.
    pub fn class_name(&self) -> &'static str {
        if self.class_cost.instructions == 0 { "nothing" } else { "array" }
    }

    /// The shape of the step from key to column, in words.
    pub fn key_name(&self) -> &'static str {
        match self.key {
            Key::One => "nothing",
            Key::Sum(_) => "sum",
            Key::Tree(_) => "tree",
            Key::Pages { .. } => "pages",
        }
    }

    /// The shape of the step from cell to leaf, in words.
    pub fn leaf_name(&self) -> &'static str {
        match self.leaf {
            Leaf::Word { .. } => "word",
            Leaf::Matrix => "matrix",
            Leaf::Ends => "ends",
        }
    }
}

/// What a choice depends on beside the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// Peer numbers of a class table, as a power of two.
    pub peers_log2: u8,
    /// Whether cells are counted.
    pub counted: bool,
    /// Which shapes are asked.
    pub shapes: Shapes,
}

/// Every way to decide as a matrix says, the best first: by time, then by bytes, then by instructions.
///
/// Shape: at least one for a matrix that was checked and has more than one leaf. Cost: linear in its cuts and cells.
pub fn candidates(matrix: &Matrix, given: Given) -> Vec<Candidate> {
    let mut keys = keys(matrix, given);
    let wanted = |key: &Key| match given.shapes {
        Shapes::Cheapest => true,
        Shapes::Tables => matches!(key, Key::Pages { .. }),
        Shapes::Sum => matches!(key, Key::Sum(_)),
        Shapes::Tree => matches!(key, Key::Tree(_)),
    };
    if keys.iter().any(wanted) {
        keys.retain(wanted);
    }
    let mut all: Vec<Candidate> = keys
        .into_iter()
        .flat_map(|key| leaves(matrix, given, &key).into_iter().map(move |leaf| candidate(matrix, given, &key, leaf)))
        .collect();
    all.sort_by_key(|it| {
        let Cost { bytes, instructions, picos, .. } = it.cost();
        (picos, bytes, instructions)
    });
    all
}

fn keys(matrix: &Matrix, given: Given) -> Vec<Key> {
    if matrix.column_count() == 1 {
        return vec![Key::One];
    }
    let mut keys = Vec::new();
    // A term stands for at most two cuts.
    if matrix.cuts.len() <= 2 * MOST_TERMS + 1 {
        let sum = Sum::of(&matrix.cuts, matrix.class_count);
        keys.extend((sum.terms.len() <= MOST_TERMS).then_some(Key::Sum(sum)));
    }
    // Behind a tree of several classes the leaf is one more thing to guess, which costs more than any sum, unless hits say how it goes.
    if matrix.class_count == 1 || !matrix.hits.is_empty() || given.shapes == Shapes::Tree {
        keys.extend(Tree::of(matrix).map(Key::Tree));
    }
    let (slots, pages) = parts(&joined(matrix.cuts.iter().copied()));
    keys.push(Key::Pages { slots, pages });
    keys
}

fn leaves(matrix: &Matrix, given: Given, key: &Key) -> Vec<Leaf> {
    if matches!(key, Key::Tree(_)) && matrix.class_count == 1 {
        return vec![Leaf::Ends];
    }
    let word = if given.shapes == Shapes::Tables { None } else { word(&matrix.leaves) };
    word.into_iter().chain([Leaf::Matrix]).collect()
}

/// The word that holds all leaves. Shape: `None` for more than fit.
fn word(leaves: &[u8]) -> Option<Leaf> {
    let bits = if leaves.iter().all(|leaf| *leaf < 2) { 1u8 } else { 2 };
    if leaves.len() * usize::from(bits) > 64 || leaves.iter().any(|leaf| *leaf > 3) {
        return None;
    }
    let places = (0u32..).step_by(usize::from(bits));
    let word = leaves.iter().zip(places).fold(0, |word, (leaf, at)| word | u64::from(*leaf) << at);
    Some(Leaf::Word { bits, word })
}

fn candidate(matrix: &Matrix, given: Given, key: &Key, leaf: Leaf) -> Candidate {
    let classes = matrix.class_count;
    let cells = matrix.leaves.len() as u64;
    let class_cost = match classes {
        1 => Cost::default(),
        _ => Cost {
            bytes: 2 << given.peers_log2,
            entries: 1 << given.peers_log2,
            instructions: price::class_words(classes),
            // The peers that send are few beside those that there is room for.
            picos: price::READ_NEAR,
        },
    };
    let code = |instructions, picos| Cost { instructions, picos, ..Cost::default() };
    let key_cost = match key {
        Key::One => code(price::one_words(classes), 0),
        Key::Sum(sum) => code(price::sum_words(sum, classes), price::sum_picos(sum)),
        Key::Tree(tree) => code(price::tree_words(&tree.root, classes), tree.picos),
        Key::Pages { slots, pages } => {
            let [slots_bytes, pages_bytes] = [slots, pages].map(|it| 512 * u64::from(*it));
            Cost {
                bytes: 256 + slots_bytes + pages_bytes,
                entries: 256 + (slots_bytes + pages_bytes) / 2,
                instructions: price::pages_words(*slots, *pages, classes),
                picos: price::pages_picos(pages_bytes),
            }
        }
    };
    let leaf_cost = match leaf {
        Leaf::Word { bits, word } => code(price::word_words(word, bits), price::WORD + verdict(matrix)),
        Leaf::Matrix => Cost {
            bytes: cells,
            entries: cells,
            instructions: price::matrix_words(),
            picos: price::read(cells) + verdict(matrix),
        },
        // Whoever comes from this end of the tree goes this way.
        Leaf::Ends => code(0, price::BRANCH),
    };
    let counters = if given.counted { cells } else { 0 };
    let counting = if given.counted { price::COUNT } else { 0 };
    let frame_cost = Cost { bytes: 8 * counters, entries: counters, ..code(price::FRAME + counting, 0) };
    Candidate { key: key.clone(), leaf, class_cost, key_cost, leaf_cost, frame_cost }
}

/// The time of the jump that a leaf decides, by how likely packets pass.
fn verdict(matrix: &Matrix) -> u64 {
    let total = matrix.hits.iter().fold(0u64, |all, hits| all.saturating_add(*hits));
    let scale = (total >> 32) + 1;
    let (mut pass, mut all) = (0u64, 0u64);
    for (at, leaf) in matrix.leaves.iter().enumerate() {
        let hits = matrix.hits.get(at).map_or(1, |hits| hits / scale + 1);
        all += hits;
        pass += if *leaf == LEAF_ALLOW { hits } else { 0 };
    }
    price::BRANCH + price::MISS * pass.min(all - pass) / all.max(1)
}

/// How many different slots of 256 pages, and how many different pages of 256 keys, cuts make.
fn parts(cuts: &[(u32, u32)]) -> (u32, u32) {
    let count = |size: u32| {
        let mut different: BTreeSet<Vec<(u32, u32)>> = BTreeSet::new();
        for (at, (start, column)) in cuts.iter().enumerate() {
            let end = cuts.get(at + 1).map_or(END, |next| next.0);
            if start.next_multiple_of(size) + size <= end {
                different.insert(vec![(0, *column)]);
            }
            if start % size != 0 {
                different.insert(inside(cuts, start / size * size, size));
            }
        }
        different.len() as u32
    };
    (count(1 << 16), count(1 << 8))
}

/// The cuts of a stretch of keys, counted from its first, which is always one of them.
fn inside(cuts: &[(u32, u32)], first: u32, size: u32) -> Vec<(u32, u32)> {
    // Cannot miss: the first cut is at 0.
    let from = cuts.partition_point(|(start, _)| *start <= first).saturating_sub(1);
    let to = cuts.partition_point(|(start, _)| *start < first + size);
    cuts[from..to].iter().map(|(start, column)| (start.saturating_sub(first), *column)).collect()
}

/// The plan of the step from key to column, for all shapes but pages.
pub(crate) fn key_plan(key: &Key, matrix: &Matrix) -> Option<KeyPlan> {
    let cuts = || joined(matrix.cuts.iter().copied());
    match key {
        Key::One => Some(KeyPlan::One),
        Key::Sum(_) => Some(KeyPlan::Sum(cuts())),
        Key::Tree(_) => Some(KeyPlan::Tree(cuts())),
        Key::Pages { .. } => None,
    }
}

/// The plan of the step from cell to leaf, for all shapes but the matrix.
pub(crate) fn leaf_plan(leaf: Leaf, matrix: &Matrix) -> Option<LeafPlan> {
    match leaf {
        Leaf::Word { bits, word } => Some(LeafPlan::Word { bits, word }),
        Leaf::Ends => Some(LeafPlan::Ends(matrix.leaves.clone())),
        Leaf::Matrix => None,
    }
}
