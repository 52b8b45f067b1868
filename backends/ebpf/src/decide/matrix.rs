//! What a direction decides, as numbers: classes of peers by columns of L4 keys.

use crate::Problem;
use image::layout;

/// The greatest product of classes and columns that is built flat; its table has this many bytes of leaves.
pub const MAX_CELLS: u64 = 4_000_000;

/// A decision as a table. Two keys of one column and two peers of one class are told apart by nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Classes of peers, at least one; class 0 is that of peers without a number.
    pub class_count: u32,
    /// Where a column begins: first L4 key (24 bits), column. Ascending, the first at 0.
    pub cuts: Vec<(u32, u32)>,
    /// Leaf bytes by `column * class_count + class`.
    pub leaves: Vec<u8>,
    /// The signature of each class, see [`image::CellPlan::signatures`].
    pub signatures: Vec<Vec<u32>>,
    /// Packets that were counted in each cell, by which shapes are chosen and laid out; empty where none were. No part of the meaning.
    pub hits: Vec<u64>,
}

impl Matrix {
    /// The matrix in which every flow has one leaf.
    pub fn constant(leaf: u8) -> Matrix {
        Matrix { class_count: 1, cuts: vec![(0, 0)], leaves: vec![leaf], signatures: vec![vec![]], hits: vec![] }
    }

    /// The matrix that allows everything.
    pub fn allow() -> Matrix {
        Matrix::constant(layout::LEAF_ALLOW)
    }

    /// Columns.
    pub fn column_count(&self) -> u32 {
        self.leaves.len() as u32 / self.class_count.max(1)
    }

    /// The one leaf, when there is only one.
    pub fn as_constant(&self) -> Option<u8> {
        let first = *self.leaves.first()?;
        self.leaves.iter().all(|leaf| *leaf == first).then_some(first)
    }

    /// The column of a key.
    pub fn column_of(&self, key: u32) -> u32 {
        let at = self.cuts.partition_point(|(start, _)| *start <= key);
        at.checked_sub(1).map_or(0, |at| self.cuts[at].1)
    }

    /// Whether the numbers fit together and into a table.
    ///
    /// Errors: [`Problem::TooLarge`] with rows and columns, [`Problem::Shape`] for a matrix that contradicts itself.
    pub fn check(&self) -> Result<(), Problem> {
        let columns = self.column_count();
        let cells = u64::from(self.class_count) * u64::from(columns);
        if cells > MAX_CELLS || columns > 1 << 16 || self.class_count > 1 << 16 {
            return Err(Problem::TooLarge { rows: self.class_count, columns, limit: MAX_CELLS });
        }
        let ascending = self.cuts.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let shaped = self.class_count > 0
            && !self.leaves.is_empty()
            && cells == self.leaves.len() as u64
            && self.cuts.first().is_some_and(|(start, _)| *start == 0)
            && self.cuts.last().is_some_and(|(start, _)| *start < 1 << 24)
            && self.cuts.iter().all(|(_, column)| *column < columns)
            && self.signatures.len() == self.class_count as usize
            && (self.hits.is_empty() || self.hits.len() == self.leaves.len());
        if ascending && shaped { Ok(()) } else { Err(Problem::Shape) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_explodes_is_refused_with_its_numbers() {
        let matrix =
            Matrix { class_count: 5000, leaves: vec![0; 5_000_000], signatures: vec![vec![]; 5000], ..Matrix::allow() };
        assert_eq!(matrix.check(), Err(Problem::TooLarge { rows: 5000, columns: 1000, limit: MAX_CELLS }));
    }
}
