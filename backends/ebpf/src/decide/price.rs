//! What the parts of a decision cost: instructions exactly, time by measured prices.
//!
//! Prices are picoseconds on the machine that docs/adr/0015-priced-shapes.md names, of look-ups that wait for each other, with random keys.
//! They order shapes; no time of another machine is to be read from them.

use super::sum::{Sum, Term};
use super::tree::Node;

/// A jump that the processor guesses right.
pub const BRANCH: u64 = 400;
/// What one costs more that it guesses wrong.
pub const MISS: u64 = 5_400;
/// A read of an array that stays in the nearest cache.
pub const READ_NEAR: u64 = 1_440;
/// A read of one that does not.
pub const READ_FAR: u64 = 3_800;
/// Bytes of the nearest cache.
pub const NEAR_BYTES: u64 = 32 << 10;
/// Picking bits out of an immediate.
pub const WORD: u64 = 800;
/// What a sum of comparisons begins with.
pub const SUM: u64 = 800;
/// An instruction that waits for no other.
pub const INSTRUCTION: u64 = 48;
/// Three reads from key to column: less than three of [`READ_NEAR`], for they run while the peer is looked up. Where the table leaves the
/// nearest cache they do not hide. Source: benches/record/2026-11-29-shapes.md, as of [`INSTRUCTION`].
pub const PAGES: u64 = 1_900;

/// Words of a decision whatever its shape: peer and cell stored, the leaf compared with each that does not deny.
pub const FRAME: u32 = 5;
/// Words that count a cell.
pub const COUNT: u32 = 8;
/// Words that read an element of a table of bytes, and one of halves.
const BYTE: u32 = 4;
const HALF: u32 = 5;

/// The time of three reads of pages of so many bytes.
pub fn pages_picos(bytes: u64) -> u64 {
    PAGES + if bytes <= NEAR_BYTES { 0 } else { READ_FAR - READ_NEAR }
}

/// The time of a read of a table of so many bytes.
pub fn read(bytes: u64) -> u64 {
    if bytes <= NEAR_BYTES { READ_NEAR } else { READ_FAR }
}

/// Words that find the class of a peer in a table.
pub fn class_words(classes: u32) -> u32 {
    7 + u32::from(classes < 1 << 16)
}

/// Words that make the class a cell, where there is one column.
pub fn one_words(classes: u32) -> u32 {
    1 + u32::from(classes == 1 << 16)
}

/// Words that sum comparisons up.
pub fn sum_words(sum: &Sum, classes: u32) -> u32 {
    3 + u32::from(classes > 1) + sum.terms.iter().map(term_words).sum::<u32>()
}

/// The time of that.
pub fn sum_picos(sum: &Sum) -> u64 {
    SUM + INSTRUCTION * sum.terms.iter().map(|term| u64::from(term_words(term))).sum::<u64>()
}

fn term_words(term: &Term) -> u32 {
    let (sign, delta) = match term {
        Term::Step { delta, .. } => (4, delta),
        Term::Block { shift: 0, delta, .. } => (5, delta),
        Term::Block { delta, .. } => (6, delta),
    };
    // The sign is multiplied, unless it is what is added itself.
    sign + u32::from(delta.abs() != 1)
}

/// Words that find the cell by three reads of a table with so many slots and pages.
pub fn pages_words(slots: u32, pages: u32, classes: u32) -> u32 {
    let slot = 4 + BYTE + u32::from(slots < 1 << 8);
    let page = 5 + HALF + u32::from(pages < 1 << 16);
    let column = 3 + HALF;
    slot + page + column + 2 * u32::from(classes > 1) + 1
}

/// Words of a tree with its ends.
pub fn tree_words(root: &Node, classes: u32) -> u32 {
    // An end says which row the cell is in, or cell and leaf, and jumps, but for the last one.
    let end = if classes > 1 { 2 } else { 3 };
    let ends = end * root.columns().len() as u32 - 1;
    // The key; and the class is added.
    1 + node_words(root, true) + ends + u32::from(classes > 1)
}

fn node_words(node: &Node, last: bool) -> u32 {
    match node {
        Node::End(_) => u32::from(!last),
        Node::Is(_, _, next) => 1 + node_words(next, last),
        Node::Below(_, below, above) => match (&**below, &**above) {
            (Node::End(_), above) => 1 + node_words(above, last),
            (below, Node::End(_)) => 1 + node_words(below, last),
            (below, above) => 1 + node_words(below, false) + node_words(above, last),
        },
    }
}

/// Words that pick a leaf out of a word in the code.
pub fn word_words(word: u64, bits: u8) -> u32 {
    let constant = if i32::try_from(word as i64).is_ok() { 1 } else { 2 };
    3 + constant + 2 * u32::from(bits > 1)
}

/// Words that read the leaf of a cell from a table.
pub fn matrix_words() -> u32 {
    1 + BYTE
}
