//! TCX links (kernel 6.6): a program at an interface, replaced in one atomic step.

use super::program::Program;
use super::{attributes, bpf, owned};
use aya_obj::generated::{
    BPF_F_AFTER, BPF_F_BEFORE, BPF_F_LINK, BPF_F_REPLACE, bpf_attach_type, bpf_cmd, bpf_link_info,
};
use image::Hook;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A link, by a descriptor of its own. The program stays attached while a descriptor or a pin of the link exists.
#[derive(Debug)]
pub struct Link {
    fd: OwnedFd,
}

/// What the kernel says about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The kernel's number of the attached program.
    pub program: u32,
    /// The interface; 0 once it is gone.
    pub ifindex: u32,
    /// One hook of those at this end of the interface.
    pub hook: Hook,
}

/// Whose program is at an interface, and how the kernel knows it.
fn attach_type(hook: Hook) -> u32 {
    (match hook {
        Hook::FromEndpoint | Hook::ToHost => bpf_attach_type::BPF_TCX_INGRESS,
        Hook::ToEndpoint | Hook::FromHost => bpf_attach_type::BPF_TCX_EGRESS,
    }) as u32
}

impl Link {
    /// Attaches a program to an interface of the thread's network namespace.
    ///
    /// A program at TCX ingress comes before all others, one at TCX egress after all others: what others do to a packet that leaves is
    /// done when we judge it. Only beside an endpoint's program, whose link is given, the node's comes on the node's side of that: after
    /// it at ingress, before it at egress.
    pub fn attach(program: &Program, hook: Hook, ifindex: u32, endpoint: Option<&Link>) -> io::Result<Link> {
        let mut attr = attributes();
        attr.link_create.__bindgen_anon_1.prog_fd = program.as_fd().as_raw_fd() as u32;
        attr.link_create.__bindgen_anon_2.target_ifindex = ifindex;
        attr.link_create.attach_type = attach_type(hook);
        attr.link_create.flags = match (hook, endpoint) {
            (Hook::FromEndpoint, _) | (Hook::ToHost, None) => BPF_F_BEFORE,
            (Hook::ToEndpoint, _) | (Hook::FromHost, None) => BPF_F_AFTER,
            (Hook::ToHost, Some(_)) => BPF_F_AFTER | BPF_F_LINK,
            (Hook::FromHost, Some(_)) => BPF_F_BEFORE | BPF_F_LINK,
        };
        if let Some(link) = endpoint.filter(|_| hook.is_host()) {
            attr.link_create.__bindgen_anon_3.tcx.__bindgen_anon_1.relative_fd = link.as_fd().as_raw_fd() as u32;
        }
        // SAFETY: the block holds no address; the descriptor is new.
        unsafe { bpf(bpf_cmd::BPF_LINK_CREATE, &mut attr).map(|fd| Link { fd: owned(fd) }) }
    }

    /// Replaces the program `old` by `new` in one step: each packet meets the one or the other.
    ///
    /// Errors: `EPERM` when the attached program is not `old`; `ENOLINK` when the interface is gone.
    pub fn replace(&self, old: &Program, new: &Program) -> io::Result<()> {
        let mut attr = attributes();
        attr.link_update.link_fd = self.fd.as_raw_fd() as u32;
        attr.link_update.__bindgen_anon_1.new_prog_fd = new.as_fd().as_raw_fd() as u32;
        attr.link_update.__bindgen_anon_2.old_prog_fd = old.as_fd().as_raw_fd() as u32;
        attr.link_update.flags = BPF_F_REPLACE;
        // SAFETY: the block holds no address.
        unsafe { bpf(bpf_cmd::BPF_LINK_UPDATE, &mut attr).map(drop) }
    }

    /// Takes the program off the interface, whatever pins or descriptors the link has.
    pub fn detach(&self) -> io::Result<()> {
        let mut attr = attributes();
        attr.link_detach.link_fd = self.fd.as_raw_fd() as u32;
        // SAFETY: the block holds no address.
        unsafe { bpf(bpf_cmd::BPF_LINK_DETACH, &mut attr).map(drop) }
    }

    /// Takes a descriptor for a link. Errors: the kernel's, when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Link> {
        if super::object::kind(fd.as_fd())? != super::object::Kind::Link {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let link = Link { fd };
        link.info().map(|_| link)
    }

    /// What the kernel says about the link. Errors: `EINVAL` when it is no TCX link.
    pub fn info(&self) -> io::Result<Info> {
        let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
        // SAFETY: all zeroes is a value of this structure of integers.
        let mut info: bpf_link_info = unsafe { std::mem::zeroed() };
        super::object::info(self.fd.as_fd(), &mut info)?;
        if info.type_ != aya_obj::generated::bpf_link_type::BPF_LINK_TYPE_TCX as u32 {
            return Err(invalid());
        }
        // SAFETY: the kernel fills in this member for links of the type just checked.
        let tcx = unsafe { info.__bindgen_anon_1.tcx };
        let hook =
            Hook::BOTH.into_iter().find(|&hook| attach_type(hook) == tcx.attach_type as u32).ok_or_else(invalid)?;
        Ok(Info { program: info.prog_id, ifindex: tcx.ifindex, hook })
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The kernel's numbers of the programs at a TCX hook, in the order in which they run.
///
/// Errors: `ENODEV` without the interface, `EINVAL` on a kernel that has no TCX.
pub fn programs(hook: Hook, ifindex: u32) -> io::Result<Vec<u32>> {
    let mut ids = [0u32; 64];
    let mut attr = attributes();
    attr.query.__bindgen_anon_1.target_ifindex = ifindex;
    attr.query.attach_type = attach_type(hook);
    attr.query.prog_ids = ids.as_mut_ptr() as u64;
    attr.query.__bindgen_anon_2.count = ids.len() as u32;
    // SAFETY: the array lives until the call returns and has the length that is stated.
    unsafe { bpf(bpf_cmd::BPF_PROG_QUERY, &mut attr)? };
    // SAFETY: the kernel has filled in the count.
    let count = unsafe { attr.query.__bindgen_anon_2.count } as usize;
    Ok(ids[..count.min(ids.len())].to_vec())
}
