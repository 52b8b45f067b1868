//! The kernel functions that programs of ours call.

use image::MapKind;

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// The context of the packet.
    Context,
    /// A map of one of these kinds.
    Map(&'static [MapKind]),
    /// Readable memory of the size of the map's keys.
    Key,
    /// Readable memory of the size of the map's values.
    Value,
    /// Readable memory, its size being the next argument.
    Memory,
    /// The size of the memory before it.
    Size,
    /// A lock at the start of a value of a map of locks.
    Lock,
    /// Anything that was written.
    Any,
}

/// What a function gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// R0 may not be read.
    Nothing,
    Number,
    /// An address in a value of the map, or null.
    ValueOrNull,
}

/// What a verifier knows of a function.
pub(crate) struct Helper {
    pub name: &'static str,
    pub arguments: &'static [Argument],
    pub gives: Gives,
    /// Whether pointers into the packet are stale after it.
    pub moves_packet: bool,
}

const KEYED: &[MapKind] = &[MapKind::Hash, MapKind::LruHash, MapKind::LpmTrie, MapKind::Array];
const LOOKED_UP: &[MapKind] = &[MapKind::Hash, MapKind::LruHash, MapKind::LpmTrie, MapKind::Array, MapKind::Locks];
/// `spin_lock`, and what gives it back.
pub(crate) const LOCK: i32 = 93;
/// Likewise.
pub(crate) const UNLOCK: i32 = 94;

/// The function of a number; `None` for one that no program of ours calls.
///
/// Each is there for `BPF_PROG_TYPE_SCHED_CLS` since 5.8 at the latest, under any licence. Source: bpf-helpers(7).
pub(crate) fn helper(number: i32) -> Option<Helper> {
    use Argument::*;
    let (name, arguments, gives, moves_packet): (_, &[Argument], _, _) = match number {
        1 => ("map_lookup_elem", &[Map(LOOKED_UP), Key], Gives::ValueOrNull, false),
        2 => ("map_update_elem", &[Map(KEYED), Key, Value, Any], Gives::Number, false),
        5 => ("ktime_get_ns", &[], Gives::Number, false),
        39 => ("skb_pull_data", &[Context, Any], Gives::Number, true),
        LOCK => ("spin_lock", &[Lock], Gives::Nothing, false),
        UNLOCK => ("spin_unlock", &[Lock], Gives::Nothing, false),
        118 => ("jiffies64", &[], Gives::Number, false),
        130 => ("ringbuf_output", &[Map(&[MapKind::RingBuf]), Memory, Size, Any], Gives::Number, false),
        _ => return None,
    };
    Some(Helper { name, arguments, gives, moves_packet })
}

/// How many registers, from R1 on, a function reads.
pub(crate) fn arguments(number: i32) -> usize {
    helper(number).map_or(0, |it| it.arguments.len())
}
