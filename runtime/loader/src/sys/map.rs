//! Maps: creation, elements, freezing.

use super::{attributes, bpf, kernel_name, owned, types};
use aya_obj::generated::{
    BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, BPF_F_RDONLY_PROG, bpf_attr, bpf_cmd, bpf_map_info, bpf_map_type,
};
use image::{MapKind, MapSpec};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How programs and user space may reach the content of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Programs and user space write, by system calls and, for arrays, through mapped memory (kernel 5.5).
    Shared,
    /// Programs read only; user space fills the map and then freezes it (kernel 5.2).
    ReadOnlyToPrograms,
}

/// What the kernel says about a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The kernel's number of the map.
    pub id: u32,
    /// `BPF_MAP_TYPE_*`.
    pub kind: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Entries, or bytes of a ring buffer.
    pub max_entries: u32,
}

impl Info {
    /// Whether a map like this was made from the spec.
    pub fn agrees(&self, spec: &MapSpec) -> bool {
        (self.kind, self.key_size, self.value_size, self.max_entries)
            == (kind(spec.kind), spec.key_size, spec.value_size, spec.max_entries)
    }
}

/// A map, by a descriptor of its own.
#[derive(Debug)]
pub struct Map {
    fd: OwnedFd,
    info: Info,
}

fn kind(kind: MapKind) -> u32 {
    (match kind {
        MapKind::Array => bpf_map_type::BPF_MAP_TYPE_ARRAY,
        MapKind::Hash => bpf_map_type::BPF_MAP_TYPE_HASH,
        MapKind::LruHash => bpf_map_type::BPF_MAP_TYPE_LRU_HASH,
        MapKind::LpmTrie => bpf_map_type::BPF_MAP_TYPE_LPM_TRIE,
        MapKind::RingBuf => bpf_map_type::BPF_MAP_TYPE_RINGBUF,
        MapKind::PerCpuArray => bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY,
        MapKind::Locks => bpf_map_type::BPF_MAP_TYPE_ARRAY,
    }) as u32
}

fn flags(kind: MapKind, access: Access) -> u32 {
    match (kind, access) {
        (MapKind::LpmTrie, _) => BPF_F_NO_PREALLOC,
        (MapKind::Array, Access::Shared) => BPF_F_MMAPABLE,
        (_, Access::ReadOnlyToPrograms) => BPF_F_RDONLY_PROG,
        (_, Access::Shared) => 0,
    }
}

/// Whether the kernel copies one value for each processor, which is more than a value of the map's size has room for.
fn is_per_processor(kind: u32) -> bool {
    [
        bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY,
        bpf_map_type::BPF_MAP_TYPE_PERCPU_HASH,
        bpf_map_type::BPF_MAP_TYPE_LRU_PERCPU_HASH,
        bpf_map_type::BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED,
    ]
    .map(|kind| kind as u32)
    .contains(&kind)
}

impl Map {
    /// `BPF_MAP_CREATE`. The name is cut to 15 bytes.
    pub fn create(name: &str, spec: &MapSpec, access: Access) -> io::Result<Map> {
        let mut attr = attributes();
        attr.__bindgen_anon_1.map_type = kind(spec.kind);
        attr.__bindgen_anon_1.key_size = spec.key_size;
        attr.__bindgen_anon_1.value_size = spec.value_size;
        attr.__bindgen_anon_1.max_entries = spec.max_entries;
        attr.__bindgen_anon_1.map_flags = flags(spec.kind, access);
        attr.__bindgen_anon_1.map_name = kernel_name(name);
        // Held until the map is made, which holds them itself from then on.
        let types = if spec.kind == MapKind::Locks { Some(types::of_locks(spec.value_size)?) } else { None };
        if let Some(types) = &types {
            attr.__bindgen_anon_1.btf_fd = types.fd.as_raw_fd() as u32;
            attr.__bindgen_anon_1.btf_key_type_id = types.key;
            attr.__bindgen_anon_1.btf_value_type_id = types.value;
        }
        // SAFETY: the block holds no address; the descriptor is new.
        let fd = unsafe { bpf(bpf_cmd::BPF_MAP_CREATE, &mut attr).map(|fd| owned(fd))? };
        Map::from_fd(fd)
    }

    /// Takes a descriptor for a map. Errors: `EINVAL` when it is something else, or the kernel's.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Map> {
        if super::object::kind(fd.as_fd())? != super::object::Kind::Map {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        // SAFETY: all zeroes is a value of this structure of integers.
        let mut info: bpf_map_info = unsafe { std::mem::zeroed() };
        super::object::info(fd.as_fd(), &mut info)?;
        let info = Info {
            id: info.id,
            kind: info.type_,
            key_size: info.key_size,
            value_size: info.value_size,
            max_entries: info.max_entries,
        };
        Ok(Map { fd, info })
    }

    /// What the kernel says about the map.
    pub fn info(&self) -> Info {
        self.info
    }

    /// The caller passes a key of the map's size, or null where the command allows it, and a value of its size.
    fn element(&self, command: bpf_cmd, key: Option<&[u8]>, value: u64) -> io::Result<i32> {
        // A slice of another size than the kernel expects would let it read or write beyond the slice.
        if key.is_some_and(|key| key.len() != self.info.key_size as usize) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let mut attr: bpf_attr = attributes();
        attr.__bindgen_anon_2.map_fd = self.fd.as_raw_fd() as u32;
        attr.__bindgen_anon_2.key = key.map_or(0, |key| key.as_ptr() as u64);
        attr.__bindgen_anon_2.__bindgen_anon_1.value = value;
        // SAFETY: the key has the map's key size, and the callers below give values of the map's value size.
        unsafe { bpf(command, &mut attr) }
    }

    /// Errors: `EINVAL` for a map that has a value for each processor.
    fn has_one_value(&self) -> io::Result<()> {
        if is_per_processor(self.info.kind) { Err(io::Error::from_raw_os_error(libc::EINVAL)) } else { Ok(()) }
    }

    /// The values of a key, one for each processor that the kernel may ever have; `None` when the map has none.
    ///
    /// Errors: `EINVAL` for a map that has one value for all processors.
    pub fn lookup_each(&self, key: &[u8]) -> io::Result<Option<Vec<Vec<u8>>>> {
        if !is_per_processor(self.info.kind) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let processors = aya::util::nr_cpus().map_err(|(_, error)| error)?;
        // Source: `bpf_percpu_array_copy`: values lie at multiples of eight bytes, one for each possible processor.
        let stride = (self.info.value_size as usize).next_multiple_of(8).max(8);
        let mut values = vec![0; stride * processors];
        let found = absent_is_none(self.element(bpf_cmd::BPF_MAP_LOOKUP_ELEM, Some(key), values.as_mut_ptr() as u64))?;
        let one = |value: &[u8]| value[..self.info.value_size as usize].to_vec();
        Ok(found.map(|_| values.chunks_exact(stride).map(one).collect()))
    }

    /// The value of a key; `None` when the map has none. Errors: `EINVAL` when each processor has its own, see [`Map::lookup_each`].
    pub fn lookup(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.has_one_value()?;
        let mut value = vec![0; self.info.value_size as usize];
        absent_is_none(self.element(bpf_cmd::BPF_MAP_LOOKUP_ELEM, Some(key), value.as_mut_ptr() as u64))
            .map(|found| found.map(|_| value))
    }

    /// Inserts or replaces. Errors: `EINVAL` for wrong sizes, `E2BIG` or `ENOSPC` when the map is full.
    pub fn update(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.has_one_value()?;
        if value.len() != self.info.value_size as usize {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        self.element(bpf_cmd::BPF_MAP_UPDATE_ELEM, Some(key), value.as_ptr() as u64).map(drop)
    }

    /// Deletes; `false` when the key was not there.
    pub fn delete(&self, key: &[u8]) -> io::Result<bool> {
        absent_is_none(self.element(bpf_cmd::BPF_MAP_DELETE_ELEM, Some(key), 0)).map(|found| found.is_some())
    }

    /// The key after `key`, or the first one. An unknown key gives the first one again.
    pub fn next_key(&self, key: Option<&[u8]>) -> io::Result<Option<Vec<u8>>> {
        let mut next = vec![0; self.info.key_size as usize];
        absent_is_none(self.element(bpf_cmd::BPF_MAP_GET_NEXT_KEY, key, next.as_mut_ptr() as u64))
            .map(|found| found.map(|_| next))
    }

    /// Inserts or replaces many. Shape: keys and values one after another. Cost: no cheaper an entry than [`Map::update`] for small
    /// batches; it saves the system calls. Kernel: 5.6 for hashes; LPM tries 5.7.
    pub fn update_batch(&self, keys: &[u8], values: &[u8]) -> io::Result<()> {
        let info = self.info;
        let count = keys.len() / (info.key_size as usize).max(1);
        let whole = keys.len() == count * info.key_size as usize && values.len() == count * info.value_size as usize;
        self.has_one_value()?;
        if !whole {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        if count == 0 {
            return Ok(());
        }
        let mut attr = attributes();
        attr.batch.keys = keys.as_ptr() as u64;
        attr.batch.values = values.as_ptr() as u64;
        attr.batch.count = count as u32;
        attr.batch.map_fd = self.fd.as_raw_fd() as u32;
        // SAFETY: both slices hold exactly `count` elements of the map's sizes.
        unsafe { bpf(bpf_cmd::BPF_MAP_UPDATE_BATCH, &mut attr).map(drop) }
    }

    /// Forbids later writes from user space. Errors: `EBUSY` while the map is mapped writable.
    pub fn freeze(&self) -> io::Result<()> {
        let mut attr = attributes();
        attr.__bindgen_anon_2.map_fd = self.fd.as_raw_fd() as u32;
        // SAFETY: the block holds no address.
        unsafe { bpf(bpf_cmd::BPF_MAP_FREEZE, &mut attr).map(drop) }
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn absent_is_none(answer: io::Result<i32>) -> io::Result<Option<i32>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}
