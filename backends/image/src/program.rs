//! Programs as raw instructions and what has to be filled in when they are loaded.

use crate::target::NodeMap;
use serde::{Deserialize, Serialize};

/// Where a program is attached, and whose traffic it decides. An image has the two hooks of an endpoint or the two of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Hook {
    /// Packets towards the endpoint: TCX (or clsact) egress of the host-side interface.
    ToEndpoint,
    /// Packets from the endpoint: TCX (or clsact) ingress of the host-side interface.
    FromEndpoint,
    /// Packets that reach the node, those for the node itself being decided: TCX (or clsact) ingress of each native device, and of each
    /// endpoint's host-side interface after the endpoint's own program.
    ToHost,
    /// Packets that leave the node, those that it made itself being decided: TCX (or clsact) egress of the same interfaces, before the
    /// endpoint's own program.
    FromHost,
}

impl Hook {
    /// Both hooks of an endpoint; policy calls the first ingress and the second egress.
    pub const BOTH: [Hook; 2] = [Hook::ToEndpoint, Hook::FromEndpoint];
    /// Both hooks of a node, likewise.
    pub const HOST: [Hook; 2] = [Hook::ToHost, Hook::FromHost];
    /// Every hook.
    pub const ALL: [Hook; 4] = [Hook::ToEndpoint, Hook::FromEndpoint, Hook::ToHost, Hook::FromHost];

    /// Whether the subject sends what crosses the hook; policy calls that egress.
    pub fn is_egress(self) -> bool {
        matches!(self, Hook::FromEndpoint | Hook::FromHost)
    }

    /// Whether the subject is a node.
    pub fn is_host(self) -> bool {
        matches!(self, Hook::ToHost | Hook::FromHost)
    }
}

/// One eBPF program of type `BPF_PROG_TYPE_SCHED_CLS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The kernel's name for it, at most 15 bytes of `[a-z0-9_]`.
    pub name: String,
    /// Where it is attached.
    pub hook: Hook,
    /// `struct bpf_insn` words in the target's byte order: opcode in the first byte, registers in the second, then offset, then immediate.
    pub insns: Vec<u64>,
    /// The wide loads whose immediate is a map, ascending by position.
    pub relocs: Vec<Reloc>,
}

/// A 16-byte `ld_imm64` that refers to a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloc {
    /// Index of the first of the two instruction words.
    pub at: u32,
    /// The map.
    pub map: MapRef,
    /// `None` loads the map itself (`BPF_PSEUDO_MAP_FD`); `Some(n)` the address of byte n of its first value
    /// (`BPF_PSEUDO_MAP_VALUE`, kernel 5.2).
    pub value_offset: Option<u32>,
}

/// Which map a program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MapRef {
    /// A table of the image, by index.
    Own(u16),
    /// A map shared by all images of the node.
    Node(NodeMap),
}
