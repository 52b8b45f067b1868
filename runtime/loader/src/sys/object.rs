//! What maps, programs and links have in common: pins and information.

use super::{attributes, bpf, owned};
use aya_obj::generated::bpf_cmd;
use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A map.
    Map,
    /// A program.
    Program,
    /// A link.
    Link,
    /// None of these.
    Other,
}

/// What a descriptor stands for. `BPF_OBJ_GET_INFO_BY_FD` fills in whatever structure fits the object, so callers must ask first.
pub fn kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    let name = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    Ok(match name.as_os_str().as_bytes() {
        b"anon_inode:bpf-map" => Kind::Map,
        b"anon_inode:bpf-prog" => Kind::Program,
        b"anon_inode:bpf_link" | b"anon_inode:bpf-link" => Kind::Link,
        _ => Kind::Other,
    })
}

/// `BPF_OBJ_GET_INFO_BY_FD` into one of the kernel's information structures, which must start out as zeroes.
pub(super) fn info<T>(fd: BorrowedFd<'_>, into: &mut T) -> io::Result<()> {
    let mut attr = attributes();
    attr.info.bpf_fd = fd.as_raw_fd() as u32;
    attr.info.info_len = size_of::<T>() as u32;
    attr.info.info = std::ptr::from_mut(into) as u64;
    // SAFETY: the structure lives until the call returns and its size is stated; the kernel writes no more than that.
    unsafe { bpf(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attr).map(drop) }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Pins an object at a path inside a BPF file system. Errors: `EEXIST` when something is there.
pub fn pin(fd: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let mut attr = attributes();
    attr.__bindgen_anon_4.pathname = path.as_ptr() as u64;
    attr.__bindgen_anon_4.bpf_fd = fd.as_raw_fd() as u32;
    // SAFETY: the path lives until the call returns.
    unsafe { bpf(bpf_cmd::BPF_OBJ_PIN, &mut attr).map(drop) }
}

/// Opens a pinned object.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let mut attr = attributes();
    attr.__bindgen_anon_4.pathname = path.as_ptr() as u64;
    // SAFETY: the path lives until the call returns; the descriptor is new.
    unsafe { bpf(bpf_cmd::BPF_OBJ_GET, &mut attr).map(|fd| owned(fd)) }
}
