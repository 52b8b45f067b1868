//! How an image decides, in numbers that can be checked against it.

use serde::{Deserialize, Serialize};

/// The plan of an image: one part a direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Towards the endpoint.
    pub ingress: DirectionPlan,
    /// From the endpoint.
    pub egress: DirectionPlan,
}

/// How one direction decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectionPlan {
    /// Every flow has this leaf: no decision code, no tables.
    Constant(u8),
    /// By the cell that the class of the peer and the column of the key make.
    Cells(CellPlan),
}

/// How a decision finds the cell of a flow, and the leaf in it.
///
/// A decision reads `class` of the peer and `column` of the key; `cell = column * class_count + class` is the number of its counter and what
/// a record says; the leaf is that of the cell. Each of the three steps has a shape of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellPlan {
    /// Classes of peers; class 0 is that of peers without a number.
    pub class_count: u32,
    /// Columns of protocol and port.
    pub column_count: u32,
    /// The class table, as an index into the image's tables. `None` exactly where there is one class.
    pub class_table: Option<u16>,
    /// The counter of each cell, likewise. `None` where nothing is counted.
    pub counter_table: Option<u16>,
    /// From the key to the column.
    pub key: KeyPlan,
    /// From the cell to the leaf.
    pub leaf: LeafPlan,
    /// For each class, its signature: words that tell which peers it holds without naming one. The compiler makes them from the text of
    /// the rules, so that images with equal digests give every peer of one node the same class and can share their tables.
    pub signatures: Vec<Vec<u32>>,
}

/// How a decision goes from a key to its column.
///
/// Cuts say where a column begins: first L4 key (24 bits), column; ascending, the first at 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyPlan {
    /// There is one column, so the key is not read.
    One,
    /// Comparisons with immediates, summed up without a jump.
    Sum(Vec<(u32, u32)>),
    /// Comparisons with immediates that jump, the likeliest first.
    Tree(Vec<(u32, u32)>),
    /// Three reads of a table.
    Pages(PagePlan),
}

/// A table of columns in three levels: `slot = u8 at protocols + (key >> 16)`, `page = u16 at pages + 2 * (slot * 256 + (key >> 8 & 255))`,
/// `column = u16 at columns + 2 * (page * 256 + (key & 255))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePlan {
    /// The fixed table, as an index into the image's tables.
    pub table: u16,
    /// Byte offset of the 256 protocol slots.
    pub protocols: u32,
    /// Byte offset of the page numbers.
    pub pages: u32,
    /// Byte offset of the column numbers.
    pub columns: u32,
    /// Byte offset of what follows the column numbers.
    pub end: u32,
}

impl PagePlan {
    /// Different protocol slots.
    pub fn slots(&self) -> u32 {
        self.columns.saturating_sub(self.pages) / 512
    }

    /// Different pages of column numbers.
    pub fn page_count(&self) -> u32 {
        self.end.saturating_sub(self.columns) / 512
    }
}

/// How a decision goes from a cell to its leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeafPlan {
    /// `word >> bits * cell & (1 << bits) - 1`, with the word in the code.
    Word {
        /// Bits of a leaf: 1, or 2.
        bits: u8,
        /// The leaves of all cells, the first lowest.
        word: u64,
    },
    /// `u8 at offset + cell` of a fixed table.
    Matrix {
        /// As an index into the image's tables.
        table: u16,
        /// Byte offset of the first leaf.
        offset: u32,
    },
    /// The leaf of each column stands where the tree ends. Only where there is one class.
    Ends(Vec<u8>),
}

impl CellPlan {
    /// Cells; `None` for a product beyond 32 bits.
    pub fn cells(&self) -> Option<u32> {
        self.class_count.checked_mul(self.column_count)
    }

    /// The fixed table of the decision, when it has one: columns and leaves share it.
    pub fn fixed_table(&self) -> Option<u16> {
        match (&self.key, &self.leaf) {
            (KeyPlan::Pages(plan), _) => Some(plan.table),
            (_, LeafPlan::Matrix { table, .. }) => Some(*table),
            _ => None,
        }
    }
}
