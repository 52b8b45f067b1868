//! The IPv4 address table: three levels of 256-ary pages behind a root of 65,536 entries.
//!
//! ```text
//!  root[address >> 16] ─┬─ peer number
//!                       └─ page ─► page[address >> 8 & 255] ─┬─ peer number
//!                                                            └─ page ─► page[address & 255] ── peer number
//! ```
//! Units: every entry is a `u32`; the high bit marks a page number. The root comes first in the value, then the pages.

use crate::target::Target;

/// Marks an entry that is a page number.
pub const PAGE: u32 = 1 << 31;
/// Entries of the root.
pub const ROOT_ENTRIES: u32 = 1 << 16;
/// Entries of a page.
pub const PAGE_ENTRIES: u32 = 256;

/// Bytes of the map's single value.
pub fn value_size(target: &Target) -> u32 {
    (ROOT_ENTRIES + (PAGE_ENTRIES << target.address4_pages_log2)) * 4
}

/// More pages are needed than the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the IPv4 address table needs more than {capacity} pages")]
pub struct Full {
    /// The pages that the table has.
    pub capacity: u32,
}

/// The content of an IPv4 address table, as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address4 {
    words: Vec<u32>,
    pages_used: u32,
    capacity: u32,
}

impl Address4 {
    /// A table in which every address is `default`.
    pub fn new(target: &Target, default: u32) -> Address4 {
        Address4 {
            words: vec![default; ROOT_ENTRIES as usize],
            pages_used: 0,
            capacity: 1 << target.address4_pages_log2,
        }
    }

    /// Builds a table from prefixes; the longest one that holds an address names its peer.
    ///
    /// Units: host-order address (bits beyond the length are ignored), prefix length up to 32, peer number. Errors: [`Full`].
    pub fn build(target: &Target, default: u32, prefixes: &[(u32, u8, u32)]) -> Result<Address4, Full> {
        let mut sorted = prefixes.to_vec();
        sorted.sort_by_key(|&(address, len, _)| (len, address));
        let mut table = Address4::new(target, default);
        for (address, len, peer) in sorted {
            let mask = u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0);
            table.paint(address & mask, len.min(32), peer)?;
        }
        Ok(table)
    }

    /// The words in use: root and pages. The rest of the map's value is never read.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The peer of an address, as the program finds it.
    pub fn lookup(&self, address: u32) -> u32 {
        let mut entry = self.words[(address >> 16) as usize];
        for shift in [8, 0] {
            if entry & PAGE == 0 {
                break;
            }
            entry = self.words[self.slot(entry, address >> shift & 255)];
        }
        entry
    }

    fn slot(&self, entry: u32, index: u32) -> usize {
        (ROOT_ENTRIES + (entry & !PAGE) * PAGE_ENTRIES + index) as usize
    }

    /// Overwrites a range. Shorter prefixes must come before longer ones inside them.
    fn paint(&mut self, address: u32, len: u8, peer: u32) -> Result<(), Full> {
        if len <= 16 {
            let first = (address >> 16) as usize;
            let count = 1usize << (16 - u32::from(len));
            self.words[first..first + count].fill(peer);
            return Ok(());
        }
        let middle = self.page_behind((address >> 16) as usize)?;
        if len <= 24 {
            let first = self.slot(middle, address >> 8 & 255);
            self.words[first..first + (1 << (24 - u32::from(len)))].fill(peer);
            return Ok(());
        }
        let leaf = self.page_behind(self.slot(middle, address >> 8 & 255))?;
        let first = self.slot(leaf, address & 255);
        self.words[first..first + (1 << (32 - u32::from(len)))].fill(peer);
        Ok(())
    }

    fn page_behind(&mut self, at: usize) -> Result<u32, Full> {
        let entry = self.words[at];
        if entry & PAGE != 0 {
            return Ok(entry);
        }
        if self.pages_used == self.capacity {
            return Err(Full { capacity: self.capacity });
        }
        let page = PAGE | self.pages_used;
        self.pages_used += 1;
        self.words.extend(std::iter::repeat_n(entry, PAGE_ENTRIES as usize));
        self.words[at] = page;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_names_the_peer() {
        let prefixes =
            [(0x0a000000, 8, 5), (0x0a010203, 32, 9), (0x0a010200, 24, 8), (0x0a010000, 15, 7), (0x0a010280, 25, 6)];
        let table = Address4::build(&Target::default(), 2, &prefixes).unwrap();
        for (address, peer) in [
            (0x0a010203, 9),
            (0x0a010204, 8),
            (0x0a0102ff, 6),
            (0x0a000001, 7),
            (0x0aff0000, 5),
            (0x0b000000, 2),
            (0x0a010300, 7),
        ] {
            assert_eq!(table.lookup(address), peer, "{address:#x}");
        }
    }

    #[test]
    fn a_table_without_room_says_so() {
        let target = Target { address4_pages_log2: 1, ..Target::default() };
        let prefixes = [(0x0a010203, 32, 9), (0x0b010203, 32, 9)];
        assert_eq!(Address4::build(&target, 2, &prefixes), Err(Full { capacity: 2 }));
    }
}
