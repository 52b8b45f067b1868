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
    /// Class tables.
    Tables(TablePlan),
}

/// The layout of one decision table.
///
/// A decision reads `class = classes[peer]`, then in the table: `slot = u8 at protocols + (key >> 16)`,
/// `page = u16 at pages + 2 * (slot * 256 + (key >> 8 & 255))`, `column = u16 at columns + 2 * (page * 256 + (key & 255))`,
/// `leaf = u8 at leaves + column * classes + class`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlan {
    /// The fixed table, as an index into the image's tables.
    pub table: u16,
    /// The class table, likewise.
    pub class_table: u16,
    /// The counter of each leaf, likewise.
    pub counter_table: Option<u16>,
    /// Classes of peers; class 0 is that of peers without a number.
    pub class_count: u32,
    /// Columns of protocol and port.
    pub column_count: u32,
    /// Byte offset of the 256 protocol slots.
    pub protocols: u32,
    /// Byte offset of the page numbers.
    pub pages: u32,
    /// Byte offset of the column numbers.
    pub columns: u32,
    /// Byte offset of the leaves.
    pub leaves: u32,
    /// For each class, its signature: words that tell which peers it holds without naming one. The compiler makes them from the text of
    /// the rules, so that images with equal digests give every peer of one node the same class and can share their tables.
    pub signatures: Vec<Vec<u32>>,
}
