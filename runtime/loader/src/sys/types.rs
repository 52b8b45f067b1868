//! The types of a map's keys and values, by which the kernel finds locks in them.

use super::{attributes, bpf, owned};
use aya_obj::generated::bpf_cmd;
use std::io;
use std::os::fd::OwnedFd;

/// Types that the kernel holds, and which of them a map's keys and values are.
#[derive(Debug)]
pub struct Types {
    /// What the kernel holds.
    pub fd: OwnedFd,
    /// The number of the type of keys.
    pub key: u32,
    /// The number of the type of values.
    pub value: u32,
}

/// `BPF_BTF_LOAD` for values of some bytes that begin with a lock, and keys of four. Kernel 4.18; locks are known since 5.1.
pub fn of_locks(value_size: u32) -> io::Result<Types> {
    let bytes = section(value_size);
    let mut attr = attributes();
    attr.__bindgen_anon_7.btf = bytes.as_ptr() as u64;
    attr.__bindgen_anon_7.btf_size = bytes.len() as u32;
    // SAFETY: the section lives until the call returns and has the length that is stated; the descriptor is new.
    let fd = unsafe { bpf(bpf_cmd::BPF_BTF_LOAD, &mut attr).map(|fd| owned(fd))? };
    Ok(Types { fd, key: 1, value: 3 })
}

/// `unsigned int`, `struct bpf_spin_lock { unsigned int val; }`, `struct tg_lock { struct bpf_spin_lock lock; … }`.
///
/// Source: Documentation/bpf/btf.rst of the kernel.
fn section(value_size: u32) -> Vec<u8> {
    const INT: u32 = 1 << 24;
    const STRUCT_OF_ONE: u32 = 4 << 24 | 1;
    let texts = b"\0unsigned int\0bpf_spin_lock\0val\0tg_lock\0lock\0";
    let [int, spin_lock, val, value, lock] = [1, 14, 28, 32, 40];
    #[rustfmt::skip]
    let types: [u32; 16] = [
        int, INT, 4, 32,
        spin_lock, STRUCT_OF_ONE, 4, val, 1, 0,
        value, STRUCT_OF_ONE, value_size, lock, 2, 0,
    ];
    let length = std::mem::size_of_val(&types) as u32;
    let header = [24, 0, length, length, texts.len() as u32];
    let words = header.iter().chain(&types).flat_map(|word| word.to_ne_bytes());
    0xeb9f_u16.to_ne_bytes().into_iter().chain([1, 0]).chain(words).chain(*texts).collect()
}
