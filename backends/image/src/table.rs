//! Tables that belong to one image.

use serde::{Deserialize, Serialize};

/// The names of the tables that count cells, ingress first.
pub const CELL_COUNTERS: [&str; 2] = ["tg_count_in", "tg_count_out"];

/// A `BPF_MAP_TYPE_ARRAY` with one value, read by direct-value loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The kernel's name for it, at most 15 bytes of `[a-z0-9_]`.
    pub name: String,
    /// Who writes it, and when.
    pub fill: Fill,
}

/// The content of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fill {
    /// Exactly these bytes, read-only to programs and frozen: covered by the digest.
    Fixed(Vec<u8>),
    /// Class numbers, `u16` in the target's byte order, one for each peer number below the target's capacity; zero (the default class)
    /// until user space stores one. The field is the index of the program whose classes they are.
    Classes(u8),
    /// Eight bytes: the first half of the image digest, so that records name their image.
    Digest,
    /// This many `u64` counters, zero at first, added to by the program.
    Counters(u32),
}

impl Table {
    /// The size of the table's single value in bytes. `peers` is the peer capacity of the target.
    pub fn value_size(&self, peers: u32) -> u32 {
        match &self.fill {
            Fill::Fixed(bytes) => bytes.len() as u32,
            Fill::Classes(_) => peers * 2,
            Fill::Digest => 8,
            Fill::Counters(n) => n * 8,
        }
    }
}
