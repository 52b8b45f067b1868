//! Changes of a live IPv4 address table ([`image::address`]) by ordered stores.
//!
//! ```text
//!  a prefix changes ─► its entries are stored anew, one word each          (a pod's address: one store)
//!  an entry needs a page ─► the page is filled where nobody looks ─► its number is stored in the entry, with release order
//!  an entry needs its page no more ─► the peer is stored ─► the page waits for a grace period ─► free
//! ```
//! A program that runs meanwhile finds, for every address, the peer of before or of after, never another.

use image::address::{PAGE, PAGE_ENTRIES, ROOT_ENTRIES};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Why a change was not made. The table is as it was.
#[derive(Debug)]
pub(crate) enum Failure {
    Full,
    Grace(io::Error),
}

/// What the words of a table mean, and which of its pages are free.
#[derive(Debug)]
pub(crate) struct Pages {
    prefixes: BTreeMap<(u32, u8), u32>,
    /// How many prefixes there are of each length, so that a search tries no others.
    lengths: [u32; 33],
    free: Vec<u32>,
    /// Unpublished, but perhaps still seen by a running program.
    retired: Vec<u32>,
    capacity: u32,
}

fn mask(len: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0)
}

/// The last address that agrees with `base` in its first `depth` bits.
fn last(base: u32, depth: u8) -> u32 {
    base | !mask(depth)
}

fn slot(page: u32, index: u32) -> usize {
    (ROOT_ENTRIES + (page & !PAGE) * PAGE_ENTRIES + index) as usize
}

impl Default for Pages {
    fn default() -> Pages {
        Pages { prefixes: BTreeMap::new(), lengths: [0; 33], free: Vec::new(), retired: Vec::new(), capacity: 0 }
    }
}

impl Pages {
    /// Reads what a table holds. The prefixes found are those of its entries, of 16, 24 and 32 bits: they say the same of every
    /// address, but no longer what an address falls back to when its prefix goes.
    pub fn read(words: &[AtomicU32]) -> Pages {
        let capacity = (words.len() as u32 - ROOT_ENTRIES) / PAGE_ENTRIES;
        let mut pages = Pages { capacity, ..Pages::default() };
        let mut used = BTreeSet::new();
        for index in 0..ROOT_ENTRIES {
            pages.read_entry(words, index as usize, index << 16, 16, &mut used);
        }
        pages.free = (0..capacity).rev().filter(|page| !used.contains(page)).collect();
        pages
    }

    fn read_entry(&mut self, words: &[AtomicU32], at: usize, base: u32, depth: u8, used: &mut BTreeSet<u32>) {
        let entry = words[at].load(Ordering::Acquire);
        let page = entry & !PAGE;
        if entry & PAGE == 0 {
            if entry != 0 {
                self.insert((base, depth), entry);
            }
        } else if depth < 32 && page < self.capacity && used.insert(page) {
            for index in 0..PAGE_ENTRIES {
                self.read_entry(words, slot(entry, index), base | index << (24 - depth), depth + 8, used);
            }
        } else {
            // We never point outside the table, below its last level, or to one page twice: the entry is damaged and names nobody.
            words[at].store(0, Ordering::Release);
        }
    }

    /// The prefixes and their peers, ascending.
    pub fn prefixes(&self) -> impl Iterator<Item = ((u32, u8), u32)> {
        self.prefixes.iter().map(|(&prefix, &peer)| (prefix, peer))
    }

    /// Gives a prefix a peer, or takes it away. `grace` waits until no program sees what was unpublished before.
    pub fn assign(
        &mut self,
        words: &[AtomicU32],
        (address, len): (u32, u8),
        peer: Option<u32>,
        grace: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Failure> {
        let len = len.min(32);
        let key = (address & mask(len), len);
        let Some(peer) = peer else {
            if self.prefixes.remove(&key).is_some() {
                self.lengths[usize::from(len)] -= 1;
                self.refresh_all(words, key);
            }
            return Ok(());
        };
        self.reserve(self.pages_for(words, key), grace)?;
        if self.insert(key, peer) != Some(peer) {
            self.refresh_all(words, key);
        }
        Ok(())
    }

    fn insert(&mut self, key: (u32, u8), peer: u32) -> Option<u32> {
        let before = self.prefixes.insert(key, peer);
        self.lengths[usize::from(key.1)] += u32::from(before.is_none());
        before
    }

    /// How many pages a prefix needs that its path does not have.
    fn pages_for(&self, words: &[AtomicU32], (address, len): (u32, u8)) -> usize {
        let wanted = usize::from(len > 16) + usize::from(len > 24);
        let mut at = (address >> 16) as usize;
        for (have, shift) in [8, 0].into_iter().enumerate().take(wanted) {
            let entry = words[at].load(Ordering::Relaxed);
            if entry & PAGE == 0 {
                return wanted - have;
            }
            at = slot(entry, address >> shift & 255);
        }
        0
    }

    fn reserve(&mut self, pages: usize, grace: impl FnOnce() -> io::Result<()>) -> Result<(), Failure> {
        if self.free.len() < pages && !self.retired.is_empty() {
            grace().map_err(Failure::Grace)?;
            self.free.append(&mut self.retired);
        }
        if self.free.len() < pages { Err(Failure::Full) } else { Ok(()) }
    }

    fn refresh_all(&mut self, words: &[AtomicU32], key: (u32, u8)) {
        let first = key.0 >> 16;
        for index in first..=last(key.0, key.1) >> 16 {
            self.refresh(words, index as usize, index << 16, 16, key);
        }
    }

    /// Makes one entry say what the prefixes say, as far as the changed prefix `key` reaches.
    fn refresh(&mut self, words: &[AtomicU32], at: usize, base: u32, depth: u8, key: (u32, u8)) {
        let entry = words[at].load(Ordering::Relaxed);
        let deeper = depth < 32 && self.prefixes.range((base, depth + 1)..=(last(base, depth), 32)).next().is_some();
        match (deeper, entry & PAGE != 0) {
            (true, true) => {
                let shift = 24 - depth;
                let low = key.0.max(base) >> shift & 255;
                let high = last(key.0, key.1).min(last(base, depth)) >> shift & 255;
                for index in low..=high {
                    self.refresh(words, slot(entry, index), base | index << shift, depth + 8, key);
                }
            }
            (true, false) => {
                let page = self.build(words, base, depth);
                words[at].store(page, Ordering::Release);
            }
            (false, paged) => {
                let peer = self.cover(base, depth);
                if peer != entry {
                    words[at].store(peer, Ordering::Release);
                }
                if paged {
                    self.retire(words, entry, depth + 8);
                }
            }
        }
    }

    /// Fills a page that nobody sees yet. `depth` is that of the entry that will point to it.
    fn build(&mut self, words: &[AtomicU32], base: u32, depth: u8) -> u32 {
        let shift = 24 - depth;
        let mut entries = [self.cover(base, depth); PAGE_ENTRIES as usize];
        let region = (base, depth + 1)..=(last(base, depth), 32);
        let mut inside: Vec<_> =
            self.prefixes.range(region).map(|(&(address, len), &peer)| (len, address, peer)).collect();
        inside.sort_unstable();
        for (len, address, peer) in inside {
            let index = address >> shift & 255;
            if len <= depth + 8 {
                let end = last(address, len) >> shift & 255;
                entries[index as usize..=end as usize].fill(peer);
            } else if entries[index as usize] & PAGE == 0 {
                entries[index as usize] = self.build(words, base | index << shift, depth + 8);
            }
        }
        // Cannot panic: `reserve` comes before every change, and counts the pages that it can need.
        let page =
            PAGE | self.free.pop().expect("`reserve` has kept the pages of the changed prefix, and no other needs one");
        for (index, entry) in (0..).zip(entries) {
            words[slot(page, index)].store(entry, Ordering::Relaxed);
        }
        page
    }

    fn retire(&mut self, words: &[AtomicU32], page: u32, depth: u8) {
        for index in 0..PAGE_ENTRIES {
            let entry = words[slot(page, index)].load(Ordering::Relaxed);
            if depth < 32 && entry & PAGE != 0 {
                self.retire(words, entry, depth + 8);
            }
        }
        self.retired.push(page & !PAGE);
    }

    /// The peer of the longest prefix of at most `depth` bits that holds `base`; 0, which is nobody, without one.
    fn cover(&self, base: u32, depth: u8) -> u32 {
        let lengths = (0..=depth).rev().filter(|&len| self.lengths[usize::from(len)] > 0);
        lengths.map(|len| (base & mask(len), len)).find_map(|prefix| self.prefixes.get(&prefix)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Target;
    use image::address::Address4;

    fn table(pages_log2: u8) -> (Target, Vec<AtomicU32>) {
        let target = Target { address4_pages_log2: pages_log2, ..Target::default() };
        let words = image::address::value_size(&target) / 4;
        (target, (0..words).map(|_| AtomicU32::new(0)).collect())
    }

    fn lookup(words: &[AtomicU32], address: u32) -> u32 {
        let mut entry = words[(address >> 16) as usize].load(Ordering::Relaxed);
        for shift in [8, 0] {
            if entry & PAGE != 0 {
                entry = words[slot(entry, address >> shift & 255)].load(Ordering::Relaxed);
            }
        }
        entry
    }

    /// A small generator of numbers that look random (xorshift).
    fn numbers(mut seed: u32) -> impl FnMut(u32) -> u32 {
        move |below| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed % below
        }
    }

    #[test]
    fn changes_in_place_end_where_a_rebuild_would() {
        let (target, words) = table(6);
        let mut pages = Pages::read(&words);
        let mut model = BTreeMap::new();
        let mut number = numbers(7);
        for step in 0..1000 {
            let len = [8, 15, 16, 17, 23, 24, 25, 31, 32, u32::from(number(9) > 0) * 30][number(10) as usize] as u8;
            let address = (10 << 24 | number(3) << 16 | number(3) << 8 | number(4) << 6 | number(2)) & mask(len);
            let peer = (number(3) > 0).then(|| 1 + number(50));
            pages.assign(&words, (address, len), peer, || Ok(())).unwrap();
            match peer {
                Some(peer) => model.insert((address, len), peer),
                None => model.remove(&(address, len)),
            };
            if step % 100 == 99 {
                let list: Vec<_> = model.iter().map(|(&(address, len), &peer)| (address, len, peer)).collect();
                let rebuilt = Address4::build(&target, 0, &list).unwrap();
                for address in (0..3u32 << 16).step_by(3).map(|low| 10 << 24 | low) {
                    assert_eq!(lookup(&words, address), rebuilt.lookup(address), "{address:#x} after {step} steps");
                }
                assert_eq!(lookup(&words, 11 << 24), rebuilt.lookup(11 << 24));
            }
        }
        let all = pages.prefixes().map(|(prefix, _)| prefix).collect::<Vec<_>>();
        for prefix in all {
            pages.assign(&words, prefix, None, || Ok(())).unwrap();
        }
        assert!(words[..ROOT_ENTRIES as usize].iter().all(|word| word.load(Ordering::Relaxed) == 0));
        assert_eq!(pages.free.len() + pages.retired.len(), 64, "no page is lost");
    }

    #[test]
    fn one_pod_in_a_known_page_is_one_store() {
        let (_, words) = table(4);
        let mut pages = Pages::read(&words);
        pages.assign(&words, (0x0a000000, 16), Some(3), || Ok(())).unwrap();
        pages.assign(&words, (0x0a000001, 32), Some(4), || Ok(())).unwrap();
        let before: Vec<u32> = words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
        pages.assign(&words, (0x0a000002, 32), Some(5), || Ok(())).unwrap();
        let changed = words.iter().zip(before).filter(|(word, before)| word.load(Ordering::Relaxed) != *before).count();
        assert_eq!(changed, 1);
    }

    #[test]
    fn a_page_is_used_again_only_after_a_grace_period() {
        let (_, words) = table(1);
        let mut pages = Pages::read(&words);
        let mut waits = 0;
        for address in [0x0a000001, 0x0b000001, 0x0c000001] {
            let mut wait = || {
                waits += 1;
                Ok(())
            };
            pages.assign(&words, (address, 32), Some(9), &mut wait).unwrap();
            pages.assign(&words, (address, 32), None, &mut wait).unwrap();
        }
        assert_eq!(waits, 2, "the first pair of pages was fresh");
    }

    #[test]
    fn a_full_table_refuses_and_stays_as_it_was() {
        let (_, words) = table(1);
        let mut pages = Pages::read(&words);
        pages.assign(&words, (0x0a000001, 32), Some(9), || Ok(())).unwrap();
        let refused = pages.assign(&words, (0x0b000001, 32), Some(9), || Ok(()));
        assert!(matches!(refused, Err(Failure::Full)));
        assert_eq!((lookup(&words, 0x0a000001), lookup(&words, 0x0b000001)), (9, 0));
        pages.assign(&words, (0x0a000002, 32), Some(8), || Ok(())).unwrap();
    }

    #[test]
    fn a_table_read_back_means_the_same_and_knows_its_free_pages() {
        let (_, words) = table(4);
        let mut pages = Pages::read(&words);
        for (prefix, peer) in [((0, 0), 2), ((0x0a000000, 8), 3), ((0x0a000100, 24), 4), ((0x0a000102, 32), 5)] {
            pages.assign(&words, prefix, Some(peer), || Ok(())).unwrap();
        }
        let mut adopted = Pages::read(&words);
        assert_eq!(adopted.free.len(), pages.free.len());
        adopted.assign(&words, (0x0a000100, 24), Some(4), || Ok(())).unwrap();
        adopted.assign(&words, (0x0a000102, 32), None, || Ok(())).unwrap();
        assert_eq!(lookup(&words, 0x0a000102), 4);
        assert_eq!((lookup(&words, 0x0a010101), lookup(&words, 0x0b000000)), (3, 2));
    }
}
