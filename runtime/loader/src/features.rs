//! What the running kernel can do, found by trying it, and how fast its clock ticks.

use crate::error::{Context as _, Error, Operation, Result};
use crate::memlock;
use crate::sys::link;
use crate::sys::map::{Access, Map};
use crate::sys::program::{self, Context, Program, Refused};
use image::{Exchange, Hook, MapKind, MapSpec, Target};
use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What the running kernel can do. A field that is `false` names what the node has to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// TCX links (6.6); without them programs are attached by clsact filters.
    pub tcx: bool,
    /// Ring buffers (5.8), which records need.
    pub ring_buffer: bool,
    /// Atomic compare-and-exchange in programs (5.12 on x86-64); without it connection tracking locks, see [`image::Exchange`].
    pub compare_exchange: bool,
    /// The helper that returns jiffies (5.6), which connection tracking needs.
    pub jiffies64: bool,
    /// Values of arrays beyond 4 MiB (6.0, commit 63b8ce77b15e); without them tables are smaller than those of the default target.
    pub wide_values: bool,
    /// Arrays that user space maps into memory (5.5), which this crate needs.
    pub mapped_arrays: bool,
}

impl Features {
    /// The target that images for this kernel are built for.
    pub fn target(&self) -> Target {
        Target::offered(self.compare_exchange, self.wide_values)
    }

    /// What programs of a target need and this kernel lacks though it may have a target of its own, for people; `None` when it has all.
    pub fn lacks(&self, target: &Target) -> Option<&'static str> {
        let needs = [
            (!self.compare_exchange && target.exchange == Exchange::Instruction, "compare-and-exchange (5.12)"),
            (!self.wide_values && target.wide_values, "values of arrays beyond 4 MiB (6.0)"),
        ];
        needs.into_iter().find(|(lacks, _)| *lacks).map(|(_, what)| what)
    }
}

/// One instruction.
fn insn(opcode: u8, registers: (u8, u8), offset: i16, immediate: i32) -> u64 {
    let (destination, source) = registers;
    let registers = if cfg!(target_endian = "little") { destination | source << 4 } else { destination << 4 | source };
    let [o0, o1] = offset.to_ne_bytes();
    let [i0, i1, i2, i3] = immediate.to_ne_bytes();
    u64::from_ne_bytes([opcode, registers, o0, o1, i0, i1, i2, i3])
}

/// `return bpf_jiffies64()`, whose low 32 bits are the answer of a run.
fn jiffies_program() -> Vec<u64> {
    const JIFFIES64: i32 = 118;
    vec![insn(0x85, (0, 0), 0, JIFFIES64), insn(0x95, (0, 0), 0, 0)]
}

/// `r0 = 0; *(u64 *)(r10 - 8) = r0; r1 = 0; lock cmpxchg *(u64 *)(r10 - 8), r1; return r0`.
fn compare_exchange_program() -> Vec<u64> {
    vec![
        insn(0xb7, (0, 0), 0, 0),
        insn(0x7b, (10, 0), -8, 0),
        insn(0xb7, (1, 0), 0, 0),
        insn(0xdb, (10, 1), -8, 0xf1),
        insn(0x95, (0, 0), 0, 0),
    ]
}

fn load(insns: &[u64]) -> io::Result<Program> {
    let loaded = memlock::with(|| program::load("tg_probe", insns), |refused: &Refused| &refused.error);
    loaded.map(|(program, _)| program).map_err(|refused| refused.error)
}

fn map(kind: MapKind, value_size: u32, max_entries: u32, access: Access) -> bool {
    let key_size = if kind == MapKind::RingBuf { 0 } else { 4 };
    let spec = MapSpec { kind, key_size, value_size, max_entries };
    memlock::with(|| Map::create("tg_probe", &spec, access), |error| error).is_ok()
}

/// Tries each feature. Errors: `EPERM` when bpf(2) is not permitted at all, so that nothing can be said.
pub fn features() -> Result<Features> {
    // `return 0` loads on every kernel that has BPF.
    load(&[insn(0xb7, (0, 0), 0, 0), insn(0x95, (0, 0), 0, 0)]).on(Operation::LoadProgram, "a probe")?;
    Ok(Features {
        tcx: tcx(),
        ring_buffer: map(MapKind::RingBuf, 0, 1 << 16, Access::Shared),
        compare_exchange: load(&compare_exchange_program()).is_ok(),
        jiffies64: load(&jiffies_program()).is_ok(),
        wide_values: map(MapKind::Array, (4 << 20) + 4096, 1, Access::ReadOnlyToPrograms),
        mapped_arrays: map(MapKind::Array, 4, 1, Access::Shared),
    })
}

/// The failure of something that was made for a target, in other words where the kernel lacks what the target supposes.
///
/// Why asked then and not before: what it takes to find out is more than what it takes to try.
pub(crate) fn lacking(failed: Error, object: &str, target: &Target) -> Error {
    if !matches!(failed, Error::Kernel { .. } | Error::Verifier { .. }) {
        return failed;
    }
    let Ok(found) = features() else { return failed };
    match found.lacks(target) {
        Some(lacks) => Error::Lacks { object: object.into(), lacks, kernel: found.target().since() },
        None => failed,
    }
}

/// Whether the kernel has TCX: asked about an interface that cannot exist, it misses the interface and not the hook.
pub(crate) fn tcx() -> bool {
    static TCX: OnceLock<bool> = OnceLock::new();
    *TCX.get_or_init(|| {
        let asked = link::programs(Hook::FromEndpoint, i32::MAX as u32);
        asked.is_ok() || asked.is_err_and(|error| error.raw_os_error() == Some(libc::ENODEV))
    })
}

/// How many jiffies a second has, for the lifetimes of [`image::codec::Config`].
///
/// Measured, since no interface tells (`sysconf(_SC_CLK_TCK)` is another, fixed figure, and few nodes have their configuration in
/// `/proc`): a program returns jiffies, and the time between two of its ticks 50 milliseconds apart decides among the rates that
/// kernels are built with. Cost: 60 milliseconds, once a process. Errors: `EINVAL` on a kernel without the helper (below 5.6).
pub fn hz() -> Result<u32> {
    static HZ: OnceLock<u32> = OnceLock::new();
    if let Some(&hz) = HZ.get() {
        return Ok(hz);
    }
    let hz = measure(Duration::from_millis(50)).on(Operation::RunProgram, "the probe of jiffies")?;
    Ok(*HZ.get_or_init(|| hz))
}

fn measure(span: Duration) -> io::Result<u32> {
    let program = load(&jiffies_program())?;
    let jiffies = || program.run(&[0; 64], &Context::default(), 1).map(|run| run.answer as u32);
    let (first, start) = tick(&jiffies)?;
    std::thread::sleep(span);
    let (second, end) = tick(&jiffies)?;
    let rate = f64::from(second.wrapping_sub(first)) / (end - start).as_secs_f64();
    Ok(nearest(rate))
}

/// Waits for a tick: jiffies after it, and when it was.
///
/// Why: another process may run between two looks, and then the tick was long ago; so a tick counts when the looks before and after it
/// lie close together. A machine too slow for that gives the closest of sixteen.
fn tick(jiffies: &impl Fn() -> io::Result<u32>) -> io::Result<(u32, Instant)> {
    const CLOSE: Duration = Duration::from_micros(200);
    let mut closest: Option<(Duration, u32, Instant)> = None;
    for _ in 0..16 {
        let (mut looked, mut before) = (Instant::now(), jiffies()?);
        let (gap, after, at) = loop {
            let look = Instant::now();
            let after = jiffies()?;
            if after != before {
                let at = Instant::now();
                break (at - looked, after, at);
            }
            (looked, before) = (look, after);
        };
        if closest.is_none_or(|(least, ..)| gap < least) {
            closest = Some((gap, after, at));
        }
        if gap < CLOSE {
            break;
        }
    }
    closest.map(|(_, after, at)| (after, at)).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

/// The nearest rate that a kernel with BPF can be built with (`kernel/Kconfig.hz`, and `HZ` of MIPS).
fn nearest(rate: f64) -> u32 {
    const RATES: [u32; 7] = [24, 48, 100, 250, 300, 500, 1000];
    RATES
        .into_iter()
        .min_by(|a, b| (f64::from(*a) - rate).abs().total_cmp(&(f64::from(*b) - rate).abs()))
        .unwrap_or(250)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_rate_is_taken_for_one_that_kernels_have() {
        let check = |measured: f64, built: u32| assert_eq!(nearest(measured), built, "{measured}");
        check(97.0, 100);
        check(251.3, 250);
        check(287.0, 300);
        check(993.0, 1000);
    }
}
