//! Keys of `BPF_MAP_TYPE_HASH` and `BPF_MAP_TYPE_LRU_HASH`.

use crate::map::{EXIST, MapError, NO_EXIST};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Which key has which slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    slots: FxHashMap<Box<[u8]>, Place>,
    free: Free,
    /// Keys by the time of their last use; `None` when a full map refuses instead of evicting.
    uses: Option<BTreeMap<u64, Box<[u8]>>>,
    clock: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    slot: u32,
    used: u64,
}

/// Slots that no key has: those given back, then those never given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Free {
    returned: Vec<u32>,
    fresh: std::ops::Range<u32>,
}

impl Free {
    pub(crate) fn new(count: u32) -> Free {
        Free { returned: Vec::new(), fresh: 0..count }
    }

    pub(crate) fn take(&mut self) -> Option<u32> {
        self.returned.pop().or_else(|| self.fresh.next())
    }

    pub(crate) fn give(&mut self, slot: u32) {
        self.returned.push(slot);
    }
}

impl Hash {
    /// A hash that refuses new keys when it is full.
    pub fn bounded(capacity: u32) -> Hash {
        Hash { slots: FxHashMap::default(), free: Free::new(capacity), uses: None, clock: 0 }
    }

    /// A hash that forgets the least recently used key when it is full.
    pub fn evicting(capacity: u32) -> Hash {
        Hash { uses: Some(BTreeMap::new()), ..Hash::bounded(capacity) }
    }

    /// The slot of a key.
    pub fn lookup(&mut self, key: &[u8]) -> Option<u32> {
        let place = self.slots.get_mut(key)?;
        if let Some(uses) = &mut self.uses {
            self.clock += 1;
            uses.remove(&place.used);
            uses.insert(self.clock, key.into());
            place.used = self.clock;
        }
        Some(place.slot)
    }

    /// The slot of a key, which is given one if it has none.
    pub fn insert(&mut self, key: &[u8], flags: u64) -> Result<u32, MapError> {
        if let Some(slot) = self.lookup(key) {
            return if flags == NO_EXIST { Err(MapError::Exists) } else { Ok(slot) };
        }
        if flags == EXIST {
            return Err(MapError::NotFound);
        }
        let slot = self.free.take().or_else(|| self.evict()).ok_or(MapError::TooBig)?;
        self.clock += 1;
        self.slots.insert(key.into(), Place { slot, used: self.clock });
        if let Some(uses) = &mut self.uses {
            uses.insert(self.clock, key.into());
        }
        Ok(slot)
    }

    fn evict(&mut self) -> Option<u32> {
        let (_, key) = self.uses.as_mut()?.pop_first()?;
        self.slots.remove(&key).map(|place| place.slot)
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &[u8]) -> Result<(), MapError> {
        let place = self.slots.remove(key).ok_or(MapError::NotFound)?;
        if let Some(uses) = &mut self.uses {
            uses.remove(&place.used);
        }
        self.free.give(place.slot);
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
