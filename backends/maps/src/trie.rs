//! Keys of `BPF_MAP_TYPE_LPM_TRIE`: `u32` prefix length in host order, then the data.

use crate::hash::Free;
use crate::map::{EXIST, MapError, NO_EXIST};
use image::MapSpec;
use std::collections::BTreeMap;

/// Which prefix has which slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trie {
    little_endian: bool,
    data_bits: u32,
    /// By length, then by data without host bits.
    prefixes: BTreeMap<u32, BTreeMap<Box<[u8]>, u32>>,
    count: usize,
    free: Free,
}

impl Trie {
    /// An empty trie.
    pub fn new(spec: &MapSpec, little_endian: bool) -> Trie {
        Trie {
            little_endian,
            data_bits: spec.key_size.saturating_sub(4) * 8,
            prefixes: BTreeMap::new(),
            count: 0,
            free: Free::new(spec.max_entries),
        }
    }

    /// The slot of the longest prefix that holds the key and is not longer than the key says it is.
    pub fn lookup(&self, key: &[u8]) -> Option<u32> {
        let (len, data) = self.split(key)?;
        self.prefixes.range(..=len).rev().find_map(|(&len, slots)| slots.get(&masked(data, len)).copied())
    }

    /// The slot of exactly this prefix, which is given one if it has none.
    pub fn insert(&mut self, key: &[u8], flags: u64) -> Result<u32, MapError> {
        let (len, data) = self.split(key).ok_or(MapError::Invalid)?;
        let data = masked(data, len);
        let known = self.prefixes.get(&len).and_then(|slots| slots.get(&data)).copied();
        match (known, flags) {
            (Some(_), NO_EXIST) => Err(MapError::Exists),
            (Some(slot), _) => Ok(slot),
            (None, EXIST) => Err(MapError::NotFound),
            (None, _) => {
                let slot = self.free.take().ok_or(MapError::NoSpace)?;
                self.prefixes.entry(len).or_default().insert(data, slot);
                self.count += 1;
                Ok(slot)
            }
        }
    }

    /// Forgets exactly this prefix.
    pub fn remove(&mut self, key: &[u8]) -> Result<(), MapError> {
        let (len, data) = self.split(key).ok_or(MapError::Invalid)?;
        let data = masked(data, len);
        let slots = self.prefixes.get_mut(&len).ok_or(MapError::NotFound)?;
        let slot = slots.remove(&data).ok_or(MapError::NotFound)?;
        if slots.is_empty() {
            self.prefixes.remove(&len);
        }
        self.count -= 1;
        self.free.give(slot);
        Ok(())
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn split<'k>(&self, key: &'k [u8]) -> Option<(u32, &'k [u8])> {
        let (len, data) = key.split_first_chunk::<4>()?;
        let len = if self.little_endian { u32::from_le_bytes(*len) } else { u32::from_be_bytes(*len) };
        (len <= self.data_bits).then_some((len, data))
    }
}

fn masked(data: &[u8], len: u32) -> Box<[u8]> {
    let byte = |(i, &byte): (usize, &u8)| match len.saturating_sub(i as u32 * 8) {
        0 => 0,
        bits @ 1..8 => byte & !(0xff >> bits),
        _ => byte,
    };
    data.iter().enumerate().map(byte).collect()
}
