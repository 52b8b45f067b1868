//! Programs and maps of our own making in the kernel, and what a run of one costs.

use crate::clock::thread_time;
use ebpf::asm::Assembled;
use image::{Hook, MapKind, MapRef, MapSpec};
use loader::sys::map::{Access, Map};
use loader::sys::program::{self, Program};
use loader::{Context, Loaded};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a call.
    #[error("{0}")]
    Kernel(#[from] io::Error),
    /// The loader failed.
    #[error("{0}")]
    Loader(#[from] loader::Error),
    /// The kernel refused a program of ours.
    #[error("the kernel refused {name}: {source}\n{log}")]
    Refused {
        /// Which.
        name: String,
        /// The kernel's error.
        source: io::Error,
        /// The end of the verifier's log.
        log: String,
    },
    /// An image was not built.
    #[error("{0}")]
    Compile(#[from] ebpf::Problem),
    /// A diagram was not built.
    #[error("{0}")]
    Diagram(#[from] diagram::TooLarge),
    /// A shape of ours was malformed.
    #[error("{0}")]
    Malformed(#[from] ebpf::asm::AsmError),
    /// A program decides other than it should, so that its figures would mean nothing.
    #[error("{0}")]
    Wrong(String),
}

impl Error {
    /// Whether bpf(2) may not be called here, so that nothing of the kernel can be measured.
    pub fn is_permission(&self) -> bool {
        let source = match self {
            Error::Kernel(error) | Error::Refused { source: error, .. } => error,
            Error::Loader(loader::Error::Kernel { source, .. }) => source,
            _ => return false,
        };
        source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// A program that is in the kernel, with what keeps it and its maps there.
pub enum Subject {
    /// A shape of a peer, or the baseline.
    Peer(Program, Vec<Map>),
    /// An image of ours.
    Ours(Arc<Loaded>, Hook),
}

impl Subject {
    /// Runs it on a frame, `repeat` times. Its last answer.
    pub fn run(&self, frame: &[u8], repeat: u32) -> Result<i32, Error> {
        let context = Context::default();
        Ok(match self {
            Subject::Peer(program, _) => program.run(frame, &context, repeat)?.answer,
            Subject::Ours(loaded, hook) => loaded.run(*hook, frame, &context, repeat)?.answer,
        })
    }

    /// Nanoseconds of processor time a run.
    pub fn time(&self, frame: &[u8], repeat: u32) -> Result<f64, Error> {
        let begin = thread_time();
        self.run(frame, repeat)?;
        Ok((thread_time() - begin).as_nanos() as f64 / f64::from(repeat.max(1)))
    }
}

/// Whether bpf(2) may be called here. Errors: any that is not a lack of permission.
pub fn is_permitted() -> Result<bool, Error> {
    match map(MapKind::Hash, 4, 8, 1) {
        Ok(_) => Ok(true),
        Err(error) if error.is_permission() => Ok(false),
        Err(error) => Err(error),
    }
}

/// A map of one kind.
pub fn map(kind: MapKind, key_size: u32, value_size: u32, max_entries: usize) -> Result<Map, Error> {
    let spec = MapSpec { kind, key_size, value_size, max_entries: max_entries.max(1) as u32 };
    Ok(Map::create("bench", &spec, Access::Shared)?)
}

/// An array of one value that programs only read.
pub fn constant(bytes: &[u8]) -> Result<Map, Error> {
    let spec = MapSpec { kind: MapKind::Array, key_size: 4, value_size: bytes.len() as u32, max_entries: 1 };
    let map = Map::create("bench", &spec, Access::ReadOnlyToPrograms)?;
    map.update(&[0; 4], bytes)?;
    map.freeze()?;
    Ok(map)
}

/// Loads a program whose [`MapRef::Own`] are indices into `maps`. Its verified instructions come with it.
pub fn load(name: &str, code: &Assembled, maps: Vec<Map>) -> Result<(Subject, u32), Error> {
    let mut insns = code.insns.clone();
    for reloc in &code.relocs {
        let at = reloc.at as usize;
        let map = match reloc.map {
            MapRef::Own(index) => maps.get(usize::from(index)),
            MapRef::Node(_) => None,
        };
        let map = map.ok_or_else(|| Error::Wrong(format!("{name} refers to a map that is not there")))?;
        let (pseudo, offset) = reloc.value_offset.map_or((1, 0), |offset| (2, offset));
        patch(&mut insns[at], pseudo, map.as_fd().as_raw_fd() as u32);
        patch(&mut insns[at + 1], 0, offset);
    }
    let (program, stats) = program::load(name, &insns).map_err(|refused| {
        let lines: Vec<&str> = refused.log.lines().collect();
        let log = lines[lines.len().saturating_sub(30)..].join("\n");
        Error::Refused { name: name.into(), source: refused.error, log }
    })?;
    Ok((Subject::Peer(program, maps), stats.verified_insns))
}

/// Fills in the immediate of an instruction and the source register, whose number says what the immediate is.
fn patch(word: &mut u64, source: u8, immediate: u32) {
    let mut bytes = word.to_ne_bytes();
    bytes[1] |= if cfg!(target_endian = "little") { source << 4 } else { source };
    bytes[4..].copy_from_slice(&immediate.to_ne_bytes());
    *word = u64::from_ne_bytes(bytes);
}
