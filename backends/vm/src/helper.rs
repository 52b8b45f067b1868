//! The kernel functions that programs may call.
//!
//! Source: Linux, `include/uapi/linux/bpf.h`, and the functions' code in `kernel/bpf/helpers.c`, `net/core/filter.c`.

use crate::context::Context;
use crate::run::What;
use crate::space::{Space, value_address};

/// Numbers of the helpers.
pub mod id {
    #![allow(missing_docs, reason = "these are the kernel's names without the leading bpf_")]
    pub const MAP_LOOKUP_ELEM: i64 = 1;
    pub const MAP_UPDATE_ELEM: i64 = 2;
    pub const MAP_DELETE_ELEM: i64 = 3;
    pub const KTIME_GET_NS: i64 = 5;
    pub const GET_PRANDOM_U32: i64 = 7;
    pub const GET_SMP_PROCESSOR_ID: i64 = 8;
    pub const SKB_LOAD_BYTES: i64 = 26;
    pub const SKB_PULL_DATA: i64 = 39;
    pub const SPIN_LOCK: i64 = 93;
    pub const SPIN_UNLOCK: i64 = 94;
    pub const JIFFIES64: i64 = 118;
    pub const RINGBUF_OUTPUT: i64 = 130;
    pub const RINGBUF_RESERVE: i64 = 131;
    pub const RINGBUF_SUBMIT: i64 = 132;
    pub const RINGBUF_DISCARD: i64 = 133;
}

const EAGAIN: i64 = 11;
const ENOMEM: i64 = 12;
const EFAULT: i64 = 14;
const EINVAL: i64 = 22;
/// What the functions without a result leave in r0 is nobody's business; this shows when somebody looks.
const NO_RESULT: u64 = 0xdead_0000_0000_0001;

/// Time and chance of one run.
pub struct World {
    now_jiffies: u64,
    now_ns: u64,
    processor: u32,
    random: u64,
}

impl World {
    /// What a run that begins now sees.
    pub fn new(context: &Context) -> World {
        World {
            now_jiffies: context.now_jiffies,
            now_ns: context.now_ns,
            processor: context.processor,
            random: context.random,
        }
    }

    /// What `bpf_jiffies64` answers for the whole run.
    pub fn now_jiffies(&self) -> u64 {
        self.now_jiffies
    }

    /// SplitMix64 of Steele, Lea and Flood, 2014: every start gives a good first answer.
    fn random(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 32) as u32
    }
}

/// Calls a helper. Errors: [`What`] when the kernel's verifier would have refused the call.
pub fn call(helper: i64, args: [u64; 5], space: &mut Space<'_>, world: &mut World) -> Result<u64, What> {
    if space.is_locked() && helper != id::SPIN_UNLOCK {
        return Err(What::Locked(helper));
    }
    let result = match helper {
        id::MAP_LOOKUP_ELEM | id::MAP_UPDATE_ELEM | id::MAP_DELETE_ELEM => on_map(helper, args, space)?,
        id::KTIME_GET_NS => world.now_ns,
        id::GET_PRANDOM_U32 => u64::from(world.random()),
        id::GET_SMP_PROCESSOR_ID => u64::from(world.processor),
        id::JIFFIES64 => world.now_jiffies,
        id::SKB_LOAD_BYTES => load_bytes(args, space)?,
        id::SKB_PULL_DATA => {
            context(helper, args[0], space)?;
            let pulled = usize::try_from(args[1] as u32).is_ok_and(|len| space.pull(len));
            errno(if pulled { 0 } else { ENOMEM })
        }
        id::SPIN_LOCK | id::SPIN_UNLOCK => {
            let done = if helper == id::SPIN_LOCK { space.lock(args[0]) } else { space.unlock(args[0]) };
            done.ok_or(What::Argument(helper, 1))?;
            NO_RESULT
        }
        id::RINGBUF_OUTPUT => output(args, space)?,
        id::RINGBUF_RESERVE => reserve(args, space)?,
        id::RINGBUF_SUBMIT | id::RINGBUF_DISCARD => {
            let (map, reservation) = space.close_record(args[0]).ok_or(What::Argument(helper, 1))?;
            let ring = space.map_mut(map).and_then(|map| map.ring_mut()).ok_or(What::Argument(helper, 1))?;
            let done = if helper == id::RINGBUF_SUBMIT { ring.submit(reservation) } else { ring.discard(reservation) };
            done.ok_or(What::Argument(helper, 1))?;
            NO_RESULT
        }
        _ => return Err(What::Helper(helper)),
    };
    Ok(result)
}

fn errno(error: i64) -> u64 {
    error.wrapping_neg() as u64
}

fn context(helper: i64, address: u64, space: &Space<'_>) -> Result<(), What> {
    if space.is_context(address) { Ok(()) } else { Err(What::Argument(helper, 1)) }
}

fn on_map(helper: i64, args: [u64; 5], space: &mut Space<'_>) -> Result<u64, What> {
    let wrong = |argument| What::Argument(helper, argument);
    let number = space.map_at(args[0]).ok_or(wrong(1))?;
    let spec = *space.map(number).ok_or(wrong(1))?.spec();
    if spec.key_size == 0 {
        return Err(wrong(1));
    }
    let mut buffer = [0; 64];
    let key = buffer.get_mut(..spec.key_size as usize).ok_or(wrong(2))?;
    key.copy_from_slice(space.bytes(args[1], spec.key_size as usize).ok_or(wrong(2))?);
    let value = match helper {
        id::MAP_UPDATE_ELEM => space.bytes(args[2], spec.value_size as usize).ok_or(wrong(3))?.to_vec(),
        _ => Vec::new(),
    };
    let map = space.map_mut(number).ok_or(wrong(1))?;
    let result = match helper {
        id::MAP_LOOKUP_ELEM => return Ok(map.lookup(key).map_or(0, |offset| value_address(number, offset))),
        id::MAP_UPDATE_ELEM if map.access() == maps::Access::ReadOnly => return Err(wrong(1)),
        id::MAP_UPDATE_ELEM => map.update(key, &value, args[3]),
        _ => map.delete(key),
    };
    Ok(errno(result.map_or_else(|error| error.errno(), |()| 0)))
}

fn load_bytes(args: [u64; 5], space: &mut Space<'_>) -> Result<u64, What> {
    let wrong = |argument| What::Argument(id::SKB_LOAD_BYTES, argument);
    context(id::SKB_LOAD_BYTES, args[0], space)?;
    let (offset, len) = (args[1] as u32 as usize, args[3] as u32 as usize);
    if len == 0 {
        return Err(wrong(4));
    }
    // Non-linear data counts too: that is what the function is for.
    let found = space.packet.get(offset..).and_then(|rest| rest.get(..len)).map(<[u8]>::to_vec);
    let place = space.bytes_mut(args[2], len).ok_or(wrong(3))?;
    match found {
        Some(bytes) => {
            place.copy_from_slice(&bytes);
            Ok(0)
        }
        None => {
            place.fill(0);
            Ok(errno(EFAULT))
        }
    }
}

fn reserve(args: [u64; 5], space: &mut Space<'_>) -> Result<u64, What> {
    let wrong = What::Argument(id::RINGBUF_RESERVE, 1);
    let number = space.map_at(args[0]).ok_or(wrong)?;
    let ring = space.map_mut(number).and_then(|map| map.ring_mut()).ok_or(wrong)?;
    if args[2] != 0 {
        return Ok(0);
    }
    let reservation = ring.reserve(args[1]);
    Ok(reservation.map_or(0, |reservation| space.open_record(number, reservation)))
}

fn output(args: [u64; 5], space: &mut Space<'_>) -> Result<u64, What> {
    let wrong = |argument| What::Argument(id::RINGBUF_OUTPUT, argument);
    let number = space.map_at(args[0]).ok_or(wrong(1))?;
    let len = usize::try_from(args[2]).map_err(|_| wrong(3))?;
    let data = space.bytes(args[1], len).ok_or(wrong(2))?.to_vec();
    let ring = space.map_mut(number).and_then(|map| map.ring_mut()).ok_or(wrong(1))?;
    // Flags: BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP.
    if args[3] & !3 != 0 {
        return Ok(errno(EINVAL));
    }
    Ok(errno(if ring.output(&data).is_some() { 0 } else { EAGAIN }))
}
