//! Writes an image as an ELF object that libbpf and its tools load as it stands.
//!
//! In: an `image::Image`.  Out: the bytes of a relocatable object for eBPF.
//!
//! # Picture
//! ```text
//!  programs ────────────► classifier  one function a hook ──relocations──┐
//!  fixed tables, digest ► .rodata.*   frozen when loaded                 │
//!  classes, counters ───► .data.*     zero when loaded            ◄──────┤
//!  arrays of the node ──► .bss        likewise, one map for all   ◄──────┤   (before 6.0: .data.*, one map each)
//!  its other maps ──────► .maps       defined by types            ◄──────┘
//!  rules ───────────────► .BTF.ext    which object and path a decision serves
//! ```
//! # Does not know
//! How instructions were chosen, what they mean; how an object is loaded. A line of text: places move, objects and paths do not.
//! # Laws
//! Equal images give equal bytes. The instructions are those of the image, but for what a loader fills in. What bpftool loads decides as
//! what our own loader loads, on whole packets in both directions (`tests/bpftool.rs`).
//! # Why sections
//! libbpf lets a program address the bytes of a map (`BPF_PSEUDO_MAP_VALUE`) only in maps that it makes of data sections itself, one of each
//! section. Tables of an image have a section each. Those of the node are 29 MB of zeroes at the usual sizes, which only `.bss` holds without
//! their bytes in the file; it is one section, and has the same layout in every object of a target, so that objects can share its map.
//! Kernels before 6.0 give no array so much: objects for them have a section for each array that a program uses, with its bytes in the file.
//! # Reading order
//! [`object`](fn@object), `places`, `lines`, `btf`, `write`.

mod btf;
mod lines;
mod places;
mod write;

use image::{Image, MapRef, NodeMap};
use std::collections::BTreeMap;

/// The section of all programs. libbpf (of Debian 12 and later) and aya know it for programs of traffic control, whatever hook they are
/// attached to; `tcx/ingress` needs libbpf 1.3.
pub const PROGRAMS: &str = "classifier";

/// Why an image has no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A program refers to a table that is not there, or at an instruction that is none of the kind.
    #[error("program {program} refers at instruction {at} to {map:?}, which {why}")]
    Reference {
        /// The program.
        program: String,
        /// The instruction.
        at: u32,
        /// The map.
        map: MapRef,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The rules that the image carries do not read.
    #[error("the rules of program {program}: {why}")]
    Rules {
        /// The program.
        program: String,
        /// Why.
        why: String,
    },
    /// A fault of this crate: the format has no room for something.
    #[error("the object cannot be written: {0}")]
    Format(String),
}

/// The object of an image: all its programs, and every map that they use.
///
/// Errors: [`Problem`]; no image of the compiler has one.
pub fn object(image: &Image) -> Result<Vec<u8>, Problem> {
    write::object(image, None)
}

/// What is in maps when an object is loaded, for who has nothing to fill them in with: the bytes of each as the kernel would give them. What
/// is not there is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Arrays of the node, such as endpoints and IPv4 addresses. Its other maps are empty.
    pub node: BTreeMap<NodeMap, Vec<u8>>,
    /// Tables of the image that programs read and others write: classes of peers, by their index.
    pub own: BTreeMap<u16, Vec<u8>>,
}

/// The object of an image whose maps are not empty. It does not share the arrays of the node with others: they are in `.data.node` and take
/// their room in the file.
///
/// Errors: as [`object`](fn@object); [`Problem::Format`] for contents that are longer than their map.
pub fn object_holding(image: &Image, contents: &Contents) -> Result<Vec<u8>, Problem> {
    write::object(image, Some(contents))
}

/// Where the bytes of a map are once an object is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The name under which libbpf and bpftool know the map; that of `.bss` begins with the name of the object's file.
    pub map: String,
    /// Where it begins in the map's value, in bytes.
    pub offset: u32,
}

/// Where a map of an image is once its object is loaded. `None` for a table that the image has not.
pub fn loaded(image: &Image, map: MapRef) -> Option<Loaded> {
    places::Place::of(image, map).map(|place| Loaded { map: place.map_name(), offset: place.offset() })
}
