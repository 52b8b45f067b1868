//! Memory shared with the kernel's programs, and the wait until no program can still see what was there before.

use super::map::Map;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

/// The single value of an array map, mapped into this process. Kernel: 5.5 (`BPF_F_MMAPABLE`).
///
/// Programs read and write the same memory at any time, so it is only seen as atomic words; stores with release order become visible
/// after all stores before them.
#[derive(Debug)]
pub struct Mapped {
    start: NonNull<libc::c_void>,
    len_bytes: usize,
}

// SAFETY: the memory belongs to the process, not to a thread, and all access is atomic.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps the value of an array with one entry. Errors: the kernel's, when the map was made without leave to do so.
    pub fn new(map: &Map) -> io::Result<Mapped> {
        let len_bytes = map.info().value_size as usize;
        // SAFETY: a fresh shared mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.as_fd().as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or_else(io::Error::last_os_error)?;
        Ok(Mapped { start, len_bytes })
    }

    /// The value as 16-bit words.
    pub fn words16(&self) -> &[AtomicU16] {
        // SAFETY: the mapping starts at a page, is `len_bytes` long and lives as long as `self`; atomics have the layout of integers.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len_bytes / 2) }
    }

    /// The value as 32-bit words.
    pub fn words32(&self) -> &[AtomicU32] {
        // SAFETY: as in `words16`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len_bytes / 4) }
    }

    /// The value as 64-bit words.
    pub fn words64(&self) -> &[AtomicU64] {
        // SAFETY: as in `words16`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len_bytes / 8) }
    }
}

impl Mapped {
    /// Reads whole 32-bit words. Units: bytes, `at` and `len` multiples of 4. What lies beyond the end is left out.
    pub fn read(&self, at: usize, len: usize) -> Vec<u8> {
        let words = self.words32().iter().skip(at / 4).take(len / 4);
        words.flat_map(|word| word.load(Ordering::Acquire).to_ne_bytes()).collect()
    }

    /// Stores whole 32-bit words, in ascending order, each of them seen at once. Units: bytes, `at` a multiple of 4; a rest of
    /// fewer than 4 bytes and what lies beyond the end are left out.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let words = self.words32().iter().skip(at / 4);
        words
            .zip(bytes.as_chunks::<4>().0)
            .for_each(|(word, bytes)| word.store(u32::from_ne_bytes(*bytes), Ordering::Release));
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: this mapping was made by `new` and nothing borrows it any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.len_bytes) };
    }
}

/// Returns when every program that was running has ended: what was unpublished before is seen by nobody after.
///
/// Cost: some milliseconds. Kernel: 4.3; `MEMBARRIER_CMD_GLOBAL` waits for an RCU grace period, in which programs run.
/// Errors: `EINVAL` on a kernel with `nohz_full` processors, which has no such command.
pub fn grace() -> io::Result<()> {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    // SAFETY: the call takes no address.
    let answer = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
