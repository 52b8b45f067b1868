//! The way to interfaces on kernels without TCX: filters of the clsact qdisc, over rtnetlink.
//!
//! One filter a hook, at its own handle and marked by its name: priority 1 from the endpoint, the last priority to it, those of the node
//! next to them, so that the order among programs is that of TCX. A filter is replaced in one step: the kernel exchanges it in a list that packets read under
//! RCU (`cls_bpf_change`). Source: linux/pkt_sched.h, linux/pkt_cls.h, linux/rtnetlink.h.

use crate::sys::program::Program;
use aya_obj::generated::{
    TCA_BPF_FD, TCA_BPF_FLAG_ACT_DIRECT, TCA_BPF_FLAGS, TCA_BPF_ID, TCA_BPF_NAME, TCA_KIND, TCA_OPTIONS,
};
use image::Hook;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// `TC_H_CLSACT`, parent of the qdisc; with the minor numbers of its two classes, parent of filters.
const CLSACT: u32 = 0xffff_fff1;
const CLSACT_HANDLE: u32 = 0xffff_0000;
const CLSACT_INGRESS: u32 = 0xffff_fff2;
const CLSACT_EGRESS: u32 = 0xffff_fff3;
/// The handle of our filters, "tg"; others choose small numbers.
const HANDLE: u32 = 0x7467;
/// The name of our filters.
const NAME: &[u8] = b"tidegate\0";
/// `ETH_P_ALL`.
const ALL_PROTOCOLS: u16 = 3;
/// `NLA_F_NESTED`, and the bits of an attribute's type without its flags.
const NESTED: u16 = 1 << 15;
const TYPE_MASK: u16 = 0x3fff;

/// A filter at our place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The kernel's number of its program.
    pub program: u32,
    /// Whether it bears our name.
    pub ours: bool,
}

/// Whether an interface got the clsact qdisc from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Qdisc {
    /// It has just been made.
    Made,
    /// It was there.
    Found,
}

fn parent(hook: Hook) -> u32 {
    match hook {
        Hook::FromEndpoint | Hook::ToHost => CLSACT_INGRESS,
        Hook::ToEndpoint | Hook::FromHost => CLSACT_EGRESS,
    }
}

/// Priority in the upper half, protocol in network order in the lower.
fn info(hook: Hook) -> u32 {
    let priority: u32 = match hook {
        Hook::FromEndpoint => 1,
        Hook::ToHost => 2,
        Hook::FromHost => 0xfffe,
        Hook::ToEndpoint => 0xffff,
    };
    priority << 16 | u32::from(ALL_PROTOCOLS.to_be())
}

/// Gives an interface the clsact qdisc unless it has it.
pub(crate) fn add_qdisc(ifindex: u32) -> io::Result<Qdisc> {
    let create = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;
    let message = Message::new(libc::RTM_NEWQDISC, create, ifindex, CLSACT_HANDLE, CLSACT, 0)
        .attribute(TCA_KIND as u16, b"clsact\0");
    match message.exchange() {
        Ok(_) => Ok(Qdisc::Made),
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(Qdisc::Found),
        Err(error) => Err(error),
    }
}

/// Takes the clsact qdisc off an interface, if no filter is left on it.
pub(crate) fn remove_qdisc_if_empty(ifindex: u32) -> io::Result<()> {
    for hook in Hook::BOTH {
        let dump = Message::new(libc::RTM_GETTFILTER, libc::NLM_F_DUMP as u16, ifindex, 0, parent(hook), 0);
        if !dump.exchange()?.is_empty() {
            return Ok(());
        }
    }
    Message::new(libc::RTM_DELQDISC, 0, ifindex, CLSACT_HANDLE, CLSACT, 0).exchange().map(drop)
}

/// Puts a program at a hook, in the place of ours that may be there.
pub(crate) fn set(program: &Program, hook: Hook, ifindex: u32) -> io::Result<()> {
    let fd = program.as_fd().as_raw_fd() as u32;
    let options = [
        attribute(TCA_BPF_FD as u16, &fd.to_ne_bytes()),
        attribute(TCA_BPF_NAME as u16, NAME),
        attribute(TCA_BPF_FLAGS as u16, &TCA_BPF_FLAG_ACT_DIRECT.to_ne_bytes()),
    ];
    Message::new(libc::RTM_NEWTFILTER, libc::NLM_F_CREATE as u16, ifindex, HANDLE, parent(hook), info(hook))
        .attribute(TCA_KIND as u16, b"bpf\0")
        .attribute(TCA_OPTIONS as u16 | NESTED, &options.concat())
        .exchange()
        .map(drop)
}

/// The filter at our place; `None` when there is none, nor a qdisc, nor the interface.
pub(crate) fn get(hook: Hook, ifindex: u32) -> io::Result<Option<Filter>> {
    let ask = Message::new(libc::RTM_GETTFILTER, 0, ifindex, HANDLE, parent(hook), info(hook))
        .attribute(TCA_KIND as u16, b"bpf\0");
    let answers = match ask.exchange() {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL | libc::ENODEV)) => {
            return Ok(None);
        }
        answers => answers?,
    };
    let options = answers.first().and_then(|body| find(body.get(20..)?, TCA_OPTIONS as u16));
    Ok(options.and_then(|options| {
        let program = u32::from_ne_bytes(*find(options, TCA_BPF_ID as u16)?.first_chunk()?);
        Some(Filter { program, ours: find(options, TCA_BPF_NAME as u16) == Some(NAME) })
    }))
}

/// Removes the filter at our place.
pub(crate) fn remove(hook: Hook, ifindex: u32) -> io::Result<()> {
    let message = Message::new(libc::RTM_DELTFILTER, 0, ifindex, HANDLE, parent(hook), info(hook))
        .attribute(TCA_KIND as u16, b"bpf\0");
    message.exchange().map(drop)
}

/// One request.
struct Message(Vec<u8>);

impl Message {
    /// `struct nlmsghdr` (16 bytes) and `struct tcmsg` (20 bytes).
    fn new(kind: u16, flags: u16, ifindex: u32, handle: u32, parent: u32, info: u32) -> Message {
        let flags = flags | (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 12]);
        for word in [ifindex, handle, parent, info] {
            bytes.extend(word.to_ne_bytes());
        }
        Message(bytes)
    }

    fn attribute(mut self, kind: u16, value: &[u8]) -> Message {
        self.0.extend(attribute(kind, value));
        self
    }

    /// Sends the request and gathers the bodies of the answers, until the kernel says that it is done or what is wrong.
    fn exchange(mut self) -> io::Result<Vec<Vec<u8>>> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        let mut socket =
            Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(Protocol::from(libc::NETLINK_ROUTE)))?;
        // The kernel answers within the call; the limit only keeps a lost answer from stopping the caller for ever.
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.write_all(&self.0)?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = socket.read(&mut buffer)?;
            let mut rest = &buffer[..read];
            while let Some((kind, body, after)) = split(rest) {
                match i32::from(kind) {
                    libc::NLMSG_ERROR | libc::NLMSG_DONE => {
                        let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                        return if code == 0 { Ok(answers) } else { Err(io::Error::from_raw_os_error(-code)) };
                    }
                    _ => answers.push(body.to_vec()),
                }
                rest = after;
            }
        }
    }
}

/// The type and body of the first message, and what follows it.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    Some((kind, bytes.get(16..len)?, bytes.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + value.len().next_multiple_of(4));
    bytes.extend((4 + value.len() as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The value of the first attribute of a type.
fn find(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let len = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        let kind = u16::from_ne_bytes(*bytes.get(2..)?.first_chunk()?) & TYPE_MASK;
        let value = bytes.get(4..len)?;
        if kind == wanted {
            return Some(value);
        }
        bytes = bytes.get(len.next_multiple_of(4)..)?;
    }
}
