//! The bytes of the pages that lead from a key to its column.
//!
//! ```text
//!  protocols: 256 × u8 ─► pages: slots × 256 × u16 ─► columns: pages × 256 × u16
//! ```
//! Equal pages and equal slots are stored once: a policy without a rule for SCTP shares the pages of every other such protocol.

use super::matrix::Matrix;
use crate::Problem;
use rustc_hash::FxHashMap;

/// The bytes, and where their parts begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The value of the map.
    pub bytes: Vec<u8>,
    /// Different protocol slots.
    pub slots: u32,
    /// Different pages of column numbers.
    pub page_count: u32,
    /// Byte offset of the page numbers.
    pub pages: u32,
    /// Byte offset of the column numbers.
    pub columns: u32,
}

/// 256 numbers each, stored once each, numbered by first use.
#[derive(Default)]
struct Pool {
    known: FxHashMap<Box<[u16]>, u16>,
    words: Vec<u16>,
}

impl Pool {
    fn intern(&mut self, page: &[u16]) -> Option<u16> {
        if let Some(number) = self.known.get(page) {
            return Some(*number);
        }
        let number = u16::try_from(self.known.len()).ok()?;
        self.known.insert(page.into(), number);
        self.words.extend_from_slice(page);
        Some(number)
    }
}

/// Lays the columns of a matrix out that was checked. Errors: [`Problem::TooLarge`] when its keys need more than 65,536 pages.
pub fn blob(matrix: &Matrix, little_endian: bool) -> Result<Blob, Problem> {
    let (mut pages, mut slots) = (Pool::default(), Pool::default());
    let mut protocols = Vec::with_capacity(256);
    let mut cursor = Cursor { matrix, at: 0 };
    let full = || Problem::TooLarge {
        rows: matrix.class_count,
        columns: matrix.column_count(),
        limit: super::matrix::MAX_CELLS,
    };
    // Most protocols and most pages are all of one column: each such column's page and slot is made and looked up by content once.
    let (mut plain_pages, mut plain_slots) = (FxHashMap::default(), FxHashMap::default());
    for protocol in 0u32..256 {
        let plain = cursor.plain(protocol << 16, 1 << 16);
        if let Some(number) = plain.and_then(|column| plain_slots.get(&column)) {
            protocols.push(*number);
            continue;
        }
        let mut slot = [0u16; 256];
        for (high, page_number) in (0u32..).zip(slot.iter_mut()) {
            let first = protocol << 16 | high << 8;
            let column = cursor.plain(first, 256);
            *page_number = match column.and_then(|column| plain_pages.get(&column)) {
                Some(number) => *number,
                None => {
                    let number = pages.intern(&cursor.page(first)).ok_or_else(full)?;
                    plain_pages.extend(column.map(|column| (column, number)));
                    number
                }
            };
        }
        let number = slots.intern(&slot).ok_or_else(full)?;
        plain_slots.extend(plain.map(|column| (column, number as u8)));
        // At most 256 different slots, one a protocol.
        protocols.push(number as u8);
    }
    let mut bytes = protocols;
    let halves = |bytes: &mut Vec<u8>, words: &[u16]| {
        for word in words {
            bytes.extend(if little_endian { word.to_le_bytes() } else { word.to_be_bytes() });
        }
    };
    let pages_at = bytes.len() as u32;
    halves(&mut bytes, &slots.words);
    let columns_at = bytes.len() as u32;
    halves(&mut bytes, &pages.words);
    Ok(Blob {
        bytes,
        slots: slots.known.len() as u32,
        page_count: pages.known.len() as u32,
        pages: pages_at,
        columns: columns_at,
    })
}

/// Walks the cuts beside ascending keys.
struct Cursor<'a> {
    matrix: &'a Matrix,
    at: usize,
}

impl Cursor<'_> {
    /// Goes to the cut that `first` lies behind; calls come with ascending keys.
    fn seek(&mut self, first: u32) {
        while self.matrix.cuts.get(self.at + 1).is_some_and(|(start, _)| *start <= first) {
            self.at += 1;
        }
    }

    /// The column of `count` keys from `first` on, when it is one.
    fn plain(&mut self, first: u32, count: u32) -> Option<u32> {
        self.seek(first);
        let cuts = &self.matrix.cuts;
        let cut = cuts.get(self.at + 1).is_some_and(|(start, _)| *start < first + count);
        (!cut).then(|| cuts[self.at].1)
    }

    /// The columns of 256 keys from `first` on.
    fn page(&mut self, first: u32) -> [u16; 256] {
        self.seek(first);
        let cuts = &self.matrix.cuts;
        let mut page = [cuts[self.at].1 as u16; 256];
        let mut at = self.at;
        while let Some((start, column)) = cuts.get(at + 1).filter(|(start, _)| *start < first + 256) {
            page[(start - first) as usize..].fill(*column as u16);
            at += 1;
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a column as [`image::PagePlan`] says.
    fn column(blob: &Blob, key: u32) -> u32 {
        let half = |at: u32| u32::from(u16::from_le_bytes([blob.bytes[at as usize], blob.bytes[at as usize + 1]]));
        let slot = u32::from(blob.bytes[(key >> 16) as usize]);
        let page = half(blob.pages + 2 * (slot * 256 + (key >> 8 & 255)));
        half(blob.columns + 2 * (page * 256 + (key & 255)))
    }

    #[test]
    fn every_key_beside_a_cut_finds_its_column() {
        let matrix = Matrix {
            class_count: 2,
            cuts: vec![
                (0, 0),
                (0x060050, 1),
                (0x060051, 0),
                (0x0601f0, 2),
                (0x070000, 0),
                (0x11ffff, 1),
                (0x120000, 0),
            ],
            leaves: vec![0, 1, 1, 0, 2, 3],
            signatures: vec![vec![], vec![0]],
            hits: vec![],
        };
        let blob = blob(&matrix, true).unwrap();
        for (start, _) in &matrix.cuts {
            for key in [start.saturating_sub(1), *start, start + 1, start + 256] {
                assert_eq!(column(&blob, key), matrix.column_of(key), "{key:#x}");
            }
        }
        assert_eq!(blob.slots, 3);
    }
}
