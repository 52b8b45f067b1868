//! Where each map of an image goes in an object.

use image::{Fill, Image, MapKind, MapRef, MapSpec, NodeMap, Target};

/// The number of an array among the kinds of map (linux/bpf.h), and those of the others that programs use.
const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PERCPU_ARRAY: u32 = 6;
const LRU_HASH: u32 = 9;
const LPM_TRIE: u32 = 11;
const RINGBUF: u32 = 27;
/// `BPF_F_NO_PREALLOC`, without which a trie is not made.
const NO_PREALLOC: u32 = 1;

/// Where arrays of the node begin in their section: at multiples of a page, so that each can be mapped into memory by itself.
const PAGE: u32 = 4096;

/// A map in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The symbol: the kernel's name for the map elsewhere.
    pub symbol: String,
    /// What it is.
    pub holds: Holds,
}

/// What a map is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A section of bytes that nobody changes.
    Fixed(Vec<u8>),
    /// A section of its own, zeroes at first: so many bytes, in elements of so many.
    Own(u32, u32),
    /// A part of the section of all arrays of the node.
    Node(Part),
    /// A map that is reached by functions of the kernel.
    Defined(MapSpec),
}

/// A part of the section of all arrays of a node, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where it begins.
    pub offset: u32,
    /// How long it is.
    pub bytes: u32,
    /// How long one element is, for people who look at it.
    pub element: u32,
}

/// The arrays of a node and their parts of the section. The same for every object of a target, whatever its programs use, so that objects can
/// share the map that libbpf makes of it.
pub(crate) fn parts(target: &Target) -> Vec<(NodeMap, Part)> {
    let mut offset = 0;
    let mut out = Vec::new();
    for map in NodeMap::ALL {
        let spec = map.spec(target);
        if (spec.kind, spec.max_entries) == (MapKind::Array, 1) {
            let element = if map == NodeMap::Counters { 8 } else { 4 };
            out.push((map, Part { offset, bytes: spec.value_size, element }));
            offset = (offset + spec.value_size).next_multiple_of(PAGE);
        }
    }
    out
}

impl Place {
    /// Where a map goes. `None` for a table that the image has not.
    pub fn of(image: &Image, map: MapRef) -> Option<Place> {
        match map {
            MapRef::Own(index) => {
                let table = image.tables.get(usize::from(index))?;
                let bytes = table.value_size(1 << image.target.peers_log2.min(30));
                let holds = match &table.fill {
                    Fill::Fixed(bytes) => Holds::Fixed(bytes.clone()),
                    Fill::Digest => Holds::Fixed(image.digest().short().to_vec()),
                    Fill::Classes(_) => Holds::Own(bytes, 2),
                    Fill::Counters(_) => Holds::Own(bytes, 8),
                };
                Some(Place { symbol: table.name.clone(), holds })
            }
            MapRef::Node(map) => {
                let part = parts(&image.target).into_iter().find(|(known, _)| *known == map).map(|(_, part)| part);
                let holds = match part {
                    // All together would be more than such a kernel gives one array.
                    Some(part) if !image.target.wide_values => Holds::Own(part.bytes, part.element),
                    Some(part) => Holds::Node(part),
                    None => Holds::Defined(map.spec(&image.target)),
                };
                Some(Place { symbol: map.name().to_owned(), holds })
            }
        }
    }

    /// The section that it stands in.
    pub fn section(&self) -> String {
        let name = self.symbol.strip_prefix("tg_").unwrap_or(&self.symbol);
        match self.holds {
            Holds::Fixed(_) => format!(".rodata.{name}"),
            Holds::Own(..) => format!(".data.{name}"),
            Holds::Node(_) => ".bss".to_owned(),
            Holds::Defined(_) => ".maps".to_owned(),
        }
    }

    /// What libbpf calls the map that it makes of it, but for the name of the object before `.bss`.
    pub fn map_name(&self) -> String {
        match self.holds {
            Holds::Defined(_) => self.symbol.clone(),
            _ => self.section(),
        }
    }

    /// Where it begins in the value of that map.
    pub fn offset(&self) -> u32 {
        match self.holds {
            Holds::Node(part) => part.offset,
            _ => 0,
        }
    }
}

/// The fields of a definition that are not zero, by the names that libbpf gives them.
pub(crate) fn definition(spec: &MapSpec) -> Vec<(&'static str, u32)> {
    let (kind, flags) = match spec.kind {
        MapKind::Array => (ARRAY, 0),
        MapKind::Hash => (HASH, 0),
        MapKind::LruHash => (LRU_HASH, 0),
        MapKind::LpmTrie => (LPM_TRIE, NO_PREALLOC),
        MapKind::RingBuf => (RINGBUF, 0),
        MapKind::PerCpuArray => (PERCPU_ARRAY, 0),
        MapKind::Locks => (ARRAY, 0),
    };
    // Types say of locks how large keys and values are.
    let (key_size, value_size) = match spec.kind {
        MapKind::Locks => (0, 0),
        _ => (spec.key_size, spec.value_size),
    };
    let fields = [
        ("type", kind),
        ("key_size", key_size),
        ("value_size", value_size),
        ("max_entries", spec.max_entries),
        ("map_flags", flags),
    ];
    fields.into_iter().filter(|(_, value)| *value != 0).collect()
}
