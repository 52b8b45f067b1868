//! One map of any kind, with the calls of `bpf(2)` and of the map helpers.

use crate::hash::Hash;
use crate::memory::Memory;
use crate::ring::Ring;
use crate::trie::Trie;
use image::{MapKind, MapSpec};

/// `BPF_NOEXIST`: create only.
pub const NO_EXIST: u64 = 1;
/// `BPF_EXIST`: replace only.
pub const EXIST: u64 = 2;

/// Why a call on a map failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// `ENOENT`: no such key.
    NotFound,
    /// `E2BIG`: an index beyond the end, or a full hash.
    TooBig,
    /// `EEXIST`: the key is there and should not be.
    Exists,
    /// `EINVAL`: the map does not do this.
    Invalid,
    /// `ENOSPC`: a full trie.
    NoSpace,
    /// `EPERM`: the map is frozen.
    Frozen,
    /// `EAGAIN`: a full ring buffer.
    Again,
}

impl MapError {
    /// The positive errno.
    pub fn errno(self) -> i64 {
        match self {
            MapError::Frozen => 1,
            MapError::NotFound => 2,
            MapError::TooBig => 7,
            MapError::Again => 11,
            MapError::Exists => 17,
            MapError::Invalid => 22,
            MapError::NoSpace => 28,
        }
    }
}

/// What programs may do with the values of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read and write.
    ReadWrite,
    /// Read (`BPF_F_RDONLY_PROG`).
    ReadOnly,
}

/// A map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    spec: MapSpec,
    access: Access,
    memory: Memory,
    keys: Keys,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Keys {
    Array { little_endian: bool },
    Hash(Hash),
    Trie(Trie),
    Ring(Ring),
}

impl Map {
    /// An empty map; array values are zero. The byte order is that of array indices and of the trie's prefix lengths.
    pub fn new(spec: MapSpec, access: Access, little_endian: bool) -> Map {
        let (memory, keys) = match spec.kind {
            // Here is one processor.
            MapKind::Array | MapKind::PerCpuArray | MapKind::Locks => {
                (Memory::new(spec.value_size, spec.max_entries), Keys::Array { little_endian })
            }
            MapKind::Hash => {
                (Memory::new(spec.value_size, spec.max_entries), Keys::Hash(Hash::bounded(spec.max_entries)))
            }
            MapKind::LruHash => {
                (Memory::new(spec.value_size, spec.max_entries), Keys::Hash(Hash::evicting(spec.max_entries)))
            }
            MapKind::LpmTrie => {
                (Memory::new(spec.value_size, spec.max_entries), Keys::Trie(Trie::new(&spec, little_endian)))
            }
            MapKind::RingBuf => (Memory::new(0, 0), Keys::Ring(Ring::new(spec.max_entries))),
        };
        Map { spec, access, memory, keys }
    }

    /// What the map was made from.
    #[inline]
    pub fn spec(&self) -> &MapSpec {
        &self.spec
    }

    /// What programs may do with its values.
    #[inline]
    pub fn access(&self) -> Access {
        self.access
    }

    /// The values.
    #[inline]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The values, to be written.
    #[inline]
    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The ring buffer, when it is one.
    pub fn ring(&self) -> Option<&Ring> {
        match &self.keys {
            Keys::Ring(ring) => Some(ring),
            _ => None,
        }
    }

    /// The ring buffer, when it is one, to be written.
    pub fn ring_mut(&mut self) -> Option<&mut Ring> {
        match &mut self.keys {
            Keys::Ring(ring) => Some(ring),
            _ => None,
        }
    }

    /// Whether a program may hold the address of the map's first value: an array with a single one.
    #[inline]
    pub fn has_direct_value(&self) -> bool {
        self.spec.kind == MapKind::Array && self.spec.max_entries == 1
    }

    /// The offset of a key's value; `None` when there is none or the key has another size.
    pub fn lookup(&mut self, key: &[u8]) -> Option<usize> {
        if key.len() != self.spec.key_size as usize {
            return None;
        }
        let slot = match &mut self.keys {
            Keys::Array { little_endian } => {
                Some(array_index(key, *little_endian)).filter(|&index| index < self.spec.max_entries)
            }
            Keys::Hash(hash) => hash.lookup(key),
            Keys::Trie(trie) => trie.lookup(key),
            Keys::Ring(_) => None,
        }?;
        Some(self.memory.offset(slot))
    }

    /// A key's value.
    pub fn read(&mut self, key: &[u8]) -> Option<&[u8]> {
        let offset = self.lookup(key)?;
        self.memory.get(offset, self.spec.value_size as usize)
    }

    /// Stores a value. Units: `flags` 0, [`NO_EXIST`] or [`EXIST`]. Errors: as `BPF_MAP_UPDATE_ELEM` of the kind.
    pub fn update(&mut self, key: &[u8], value: &[u8], flags: u64) -> Result<(), MapError> {
        let sizes = (self.spec.key_size as usize, self.spec.value_size as usize);
        if flags > EXIST || (key.len(), value.len()) != sizes {
            return Err(MapError::Invalid);
        }
        let slot = match &mut self.keys {
            Keys::Array { little_endian } => match array_index(key, *little_endian) {
                index if index >= self.spec.max_entries => return Err(MapError::TooBig),
                _ if flags == NO_EXIST => return Err(MapError::Exists),
                index => index,
            },
            Keys::Hash(hash) => hash.insert(key, flags)?,
            Keys::Trie(trie) => trie.insert(key, flags)?,
            Keys::Ring(_) => return Err(MapError::Invalid),
        };
        self.memory.value_mut(slot).copy_from_slice(value);
        Ok(())
    }

    /// Removes a key. Errors: as `BPF_MAP_DELETE_ELEM` of the kind.
    pub fn delete(&mut self, key: &[u8]) -> Result<(), MapError> {
        if key.len() != self.spec.key_size as usize {
            return Err(MapError::Invalid);
        }
        match &mut self.keys {
            Keys::Array { .. } | Keys::Ring(_) => Err(MapError::Invalid),
            Keys::Hash(hash) => hash.remove(key),
            Keys::Trie(trie) => trie.remove(key),
        }
    }

    /// How many keys a hash or trie holds; `max_entries` for the others.
    pub fn len(&self) -> usize {
        match &self.keys {
            Keys::Array { .. } | Keys::Ring(_) => self.spec.max_entries as usize,
            Keys::Hash(hash) => hash.len(),
            Keys::Trie(trie) => trie.len(),
        }
    }

    /// Whether [`Map::len`] is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn array_index(key: &[u8], little_endian: bool) -> u32 {
    let raw: [u8; 4] = key.try_into().unwrap_or([0xff; 4]);
    if little_endian { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(kind: MapKind, key_size: u32, max_entries: u32) -> Map {
        Map::new(MapSpec { kind, key_size, value_size: 4, max_entries }, Access::ReadWrite, true)
    }

    #[test]
    fn an_array_has_all_its_keys_and_no_others() {
        let mut array = map(MapKind::Array, 4, 2);
        assert_eq!(array.read(&[1, 0, 0, 0]), Some(&[0; 4][..]));
        assert_eq!(array.lookup(&[2, 0, 0, 0]), None);
        assert_eq!(array.update(&[1, 0, 0, 0], &[7; 4], 0), Ok(()));
        assert_eq!(array.read(&[1, 0, 0, 0]), Some(&[7; 4][..]));
        assert_eq!(array.update(&[2, 0, 0, 0], &[7; 4], 0), Err(MapError::TooBig));
        assert_eq!(array.update(&[1, 0, 0, 0], &[7; 4], NO_EXIST), Err(MapError::Exists));
        assert_eq!(array.update(&[1, 0, 0, 0], &[7; 4], 3), Err(MapError::Invalid));
        assert_eq!(array.delete(&[1, 0, 0, 0]), Err(MapError::Invalid));
        // Values stand eight bytes apart; what lies between belongs to nobody.
        assert_eq!(array.lookup(&[1, 0, 0, 0]), Some(8));
        assert!(array.memory().get(4, 1).is_none() && array.memory().get(2, 4).is_none());
        assert!(array.memory().get(usize::MAX, 8).is_none());
    }

    #[test]
    fn a_full_hash_refuses_new_keys_and_still_replaces() {
        let mut hash = map(MapKind::Hash, 1, 2);
        assert_eq!(hash.update(&[1], &[1; 4], EXIST), Err(MapError::NotFound));
        assert_eq!(hash.update(&[1], &[1; 4], NO_EXIST), Ok(()));
        assert_eq!(hash.update(&[2], &[2; 4], 0), Ok(()));
        assert_eq!(hash.update(&[3], &[3; 4], 0), Err(MapError::TooBig));
        assert_eq!(hash.update(&[1], &[9; 4], 0), Ok(()));
        assert_eq!(hash.update(&[1], &[9; 4], NO_EXIST), Err(MapError::Exists));
        assert_eq!(hash.read(&[1]), Some(&[9; 4][..]));
        assert_eq!(hash.delete(&[2]), Ok(()));
        assert_eq!(hash.delete(&[2]), Err(MapError::NotFound));
        assert_eq!(hash.update(&[3], &[3; 4], 0), Ok(()));
        assert_eq!(hash.read(&[3]), Some(&[3; 4][..]));
        assert_eq!(hash.len(), 2);
    }

    #[test]
    fn a_full_lru_hash_forgets_the_key_that_was_used_longest_ago() {
        let mut hash = map(MapKind::LruHash, 1, 2);
        for key in [1, 2] {
            assert_eq!(hash.update(&[key], &[key; 4], 0), Ok(()));
        }
        hash.lookup(&[1]);
        assert_eq!(hash.update(&[3], &[3; 4], 0), Ok(()));
        assert_eq!([1, 2, 3].map(|key| hash.lookup(&[key]).is_some()), [true, false, true]);
    }

    #[test]
    fn a_trie_answers_with_the_longest_prefix() {
        let mut trie = map(MapKind::LpmTrie, 6, 3);
        let key = |len: u8, a: u8, b: u8| [len, 0, 0, 0, a, b];
        assert_eq!(trie.update(&key(0, 0, 0), &[1; 4], 0), Ok(()));
        assert_eq!(trie.update(&key(8, 10, 0), &[2; 4], 0), Ok(()));
        assert_eq!(trie.update(&key(12, 10, 0xf0), &[3; 4], 0), Ok(()));
        assert_eq!(trie.update(&key(16, 10, 1), &[4; 4], 0), Err(MapError::NoSpace));
        assert_eq!(trie.update(&key(17, 10, 1), &[4; 4], 0), Err(MapError::Invalid));
        assert_eq!(trie.read(&key(16, 10, 0xf3)), Some(&[3; 4][..]));
        assert_eq!(trie.read(&key(16, 10, 0x03)), Some(&[2; 4][..]));
        assert_eq!(trie.read(&key(16, 11, 0x03)), Some(&[1; 4][..]));
        // A look-up shorter than a stored prefix does not match it.
        assert_eq!(trie.read(&key(10, 10, 0xf3)), Some(&[2; 4][..]));
        assert_eq!(trie.delete(&key(12, 10, 0xff)), Ok(()));
        assert_eq!(trie.delete(&key(12, 10, 0xff)), Err(MapError::NotFound));
        assert_eq!(trie.read(&key(16, 10, 0xf3)), Some(&[2; 4][..]));
    }
}
