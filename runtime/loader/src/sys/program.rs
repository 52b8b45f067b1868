//! Programs of type `BPF_PROG_TYPE_SCHED_CLS`: loading and running on a packet of our own.

use super::{attributes, bpf, kernel_name, owned};
use aya_obj::generated::{bpf_cmd, bpf_prog_info, bpf_prog_type};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// `BPF_LOG_LEVEL1`: each instruction with the state before it. `BPF_LOG_STATS` (kernel 5.2): only the closing figures.
const LOG_TRACE: u32 = 1;
const LOG_STATS: u32 = 4;
/// The largest log that we ask for; the kernel takes up to a quarter of an address space.
const LOG_LIMIT: usize = 1 << 24;
/// What we tell the kernel of our terms: programs call no function that is kept for GPL programs.
const LICENCE: &[u8] = b"Apache-2.0\0";
/// Bytes of `struct __sk_buff` up to and with `hwtstamp` (kernel 5.16); an older kernel accepts the zeroes at the end.
const SKB: usize = 192;

/// A loaded program, by a descriptor of its own.
#[derive(Debug)]
pub struct Program {
    fd: OwnedFd,
}

/// What the verifier says of a program that it accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instructions that the verifier walked through, out of the million it would.
    pub verified_insns: u32,
    /// Its closing lines, as it wrote them.
    pub log: String,
}

/// A program that the kernel did not take.
#[derive(Debug)]
pub struct Refused {
    /// The kernel's error.
    pub error: io::Error,
    /// What the verifier wrote; empty when it did not come to run.
    pub log: String,
}

/// Loads a program. Instructions are in the machine's byte order, maps filled in.
///
/// Errors: [`Refused`], with the whole log of the verifier. Cost: a refused program is verified twice, once for its log.
pub fn load(name: &str, insns: &[u64]) -> Result<(Program, Stats), Refused> {
    let mut size = 1 << 14;
    let mut level = LOG_STATS;
    let mut interrupted = 0;
    loop {
        let mut log = vec![0; size];
        let answer = try_load(name, insns, level, &mut log);
        let written = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        let log = String::from_utf8_lossy(&log[..written]).into_owned();
        match answer {
            Ok(program) => return Ok((program, Stats { verified_insns: verified(&log), log })),
            // Kernel: a pending signal interrupts the verifier with EAGAIN; libbpf gives it five tries as well.
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) && interrupted < 5 => interrupted += 1,
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) && size < LOG_LIMIT => size *= 4,
            Err(error) if level == LOG_TRACE | LOG_STATS || !from_verifier(&error) => {
                return Err(Refused { error, log });
            }
            Err(_) => {
                level = LOG_TRACE | LOG_STATS;
                size = 1 << 18;
            }
        }
    }
}

/// Errors that come with a trace worth a second run.
fn from_verifier(error: &io::Error) -> bool {
    !matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOMEM | libc::EBADF | libc::EFAULT))
}

/// The number in `processed N insns …`; zero without such a line.
fn verified(log: &str) -> u32 {
    let number = |rest: &str| rest.split(' ').next().and_then(|word| word.parse().ok());
    log.lines().filter_map(|line| line.strip_prefix("processed ")).find_map(number).unwrap_or(0)
}

fn try_load(name: &str, insns: &[u64], level: u32, log: &mut [u8]) -> io::Result<Program> {
    let mut attr = attributes();
    attr.__bindgen_anon_3.prog_type = bpf_prog_type::BPF_PROG_TYPE_SCHED_CLS as u32;
    attr.__bindgen_anon_3.insn_cnt = insns.len() as u32;
    attr.__bindgen_anon_3.insns = insns.as_ptr() as u64;
    attr.__bindgen_anon_3.license = LICENCE.as_ptr() as u64;
    attr.__bindgen_anon_3.log_level = level;
    attr.__bindgen_anon_3.log_size = log.len() as u32;
    attr.__bindgen_anon_3.log_buf = log.as_mut_ptr() as u64;
    attr.__bindgen_anon_3.prog_name = kernel_name(name);
    // SAFETY: instructions, licence and log live until the call returns and have the lengths that are stated.
    unsafe { bpf(bpf_cmd::BPF_PROG_LOAD, &mut attr).map(|fd| Program { fd: owned(fd) }) }
}

/// The fields of `struct __sk_buff` that a test run may set; the others the kernel derives from the packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The mark of the packet.
    pub mark: u32,
    /// The interface that the program sees; 0 is the loopback of the thread's network namespace. It must exist there.
    pub ifindex: u32,
    /// The interface that the packet entered the node by; 0 for none. It must exist likewise.
    pub ingress_ifindex: u32,
    /// The scratch words.
    pub cb: [u32; 5],
    /// Segments that the packet stands for.
    pub gso_segs: u32,
    /// Bytes of each of those segments.
    pub gso_size: u32,
}

/// The offsets of `struct __sk_buff` (linux/bpf.h).
mod skb {
    pub const MARK: usize = 8;
    pub const INGRESS_IFINDEX: usize = 36;
    pub const IFINDEX: usize = 40;
    pub const CB: usize = 48;
    pub const GSO_SEGS: usize = 164;
    pub const GSO_SIZE: usize = 176;
}

impl Context {
    fn to_bytes(self) -> [u8; SKB] {
        let mut out = [0; SKB];
        let mut put = |at: usize, value: u32| out[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        put(skb::MARK, self.mark);
        put(skb::INGRESS_IFINDEX, self.ingress_ifindex);
        put(skb::IFINDEX, self.ifindex);
        (0..5).for_each(|i| put(skb::CB + 4 * i, self.cb[i]));
        put(skb::GSO_SEGS, self.gso_segs);
        put(skb::GSO_SIZE, self.gso_size);
        out
    }

    fn from_bytes(bytes: &[u8; SKB]) -> Context {
        let get = |at: usize| u32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
        Context {
            mark: get(skb::MARK),
            ifindex: get(skb::IFINDEX),
            ingress_ifindex: get(skb::INGRESS_IFINDEX),
            cb: std::array::from_fn(|i| get(skb::CB + 4 * i)),
            gso_segs: get(skb::GSO_SEGS),
            gso_size: get(skb::GSO_SIZE),
        }
    }
}

/// What a test run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The program's answer: `TC_ACT_*`.
    pub answer: i32,
    /// The packet afterwards.
    pub packet: Vec<u8>,
    /// The context afterwards.
    pub context: Context,
    /// Nanoseconds a run, the mean over the repetitions.
    pub duration_ns: u32,
}

impl Program {
    /// Takes a descriptor for a program. Errors: the kernel's, when it is something else.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Program> {
        let program = Program { fd };
        program.id().map(|_| program)
    }

    /// A program of the kernel, by its number.
    pub fn from_id(id: u32) -> io::Result<Program> {
        let mut attr = attributes();
        attr.__bindgen_anon_6.__bindgen_anon_1.prog_id = id;
        // SAFETY: the block holds no address; the descriptor is new.
        unsafe { bpf(bpf_cmd::BPF_PROG_GET_FD_BY_ID, &mut attr).map(|fd| Program { fd: owned(fd) }) }
    }

    /// The kernel's number of the program.
    pub fn id(&self) -> io::Result<u32> {
        if super::object::kind(self.fd.as_fd())? != super::object::Kind::Program {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        // SAFETY: all zeroes is a value of this structure of integers; zero lengths ask for no arrays.
        let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
        super::object::info(self.fd.as_fd(), &mut info)?;
        Ok(info.id)
    }

    /// Runs the program on an Ethernet frame of at least 14 bytes, `repeat` times (0 and 1 are once).
    ///
    /// Errors: the kernel's, `EINVAL` for a frame that is too short, `ENODEV` for an interface that is not there.
    pub fn run(&self, packet: &[u8], context: &Context, repeat: u32) -> io::Result<Run> {
        let ctx_in = context.to_bytes();
        let mut ctx_out = [0; SKB];
        // The program may lengthen the packet; the kernel fails with ENOSPC when there is no room for it.
        let mut out = vec![0; packet.len() + 512];
        let mut attr = attributes();
        attr.test.prog_fd = self.fd.as_raw_fd() as u32;
        attr.test.data_in = packet.as_ptr() as u64;
        attr.test.data_size_in = packet.len() as u32;
        attr.test.data_out = out.as_mut_ptr() as u64;
        attr.test.data_size_out = out.len() as u32;
        attr.test.ctx_in = ctx_in.as_ptr() as u64;
        attr.test.ctx_size_in = SKB as u32;
        attr.test.ctx_out = ctx_out.as_mut_ptr() as u64;
        attr.test.ctx_size_out = SKB as u32;
        attr.test.repeat = repeat;
        // SAFETY: the four buffers live until the call returns and have the lengths that are stated.
        unsafe { bpf(bpf_cmd::BPF_PROG_TEST_RUN, &mut attr)? };
        // SAFETY: the kernel has filled in this member of the union, which is made of integers.
        let test = unsafe { attr.test };
        out.truncate(test.data_size_out as usize);
        Ok(Run {
            answer: test.retval as i32,
            packet: out,
            context: Context::from_bytes(&ctx_out),
            duration_ns: test.duration,
        })
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
