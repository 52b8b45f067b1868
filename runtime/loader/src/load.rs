//! Loading: an image's tables and programs into the kernel, attached to nothing yet.

use crate::error::{Context as _, Error, Operation, Result};
use crate::memlock;
use crate::relocate::relocate;
use crate::sys::map::{Access, Map};
use crate::sys::memory::Mapped;
use crate::sys::program::{self, Context, Program, Run, Stats};
use flow::Direction;
use image::{CELL_COUNTERS, Digest, Fill, Hook, Image, MapKind, MapRef, MapSpec, NodeMap};
use std::sync::atomic::Ordering;

/// What a loaded table holds; an [`image::Fill`] without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Bytes that the digest covers.
    Fixed,
    /// Classes of peers for the program of a hook.
    Classes(Hook),
    /// The first half of the digest.
    Digest,
    /// Counters.
    Counters,
}

/// A table in the kernel.
#[derive(Debug)]
pub(crate) struct LoadedTable {
    pub name: String,
    pub holds: Holds,
    pub map: Map,
    /// The content, where user space may write.
    pub mapped: Option<Mapped>,
}

/// A program in the kernel.
#[derive(Debug)]
pub(crate) struct LoadedProgram {
    pub name: String,
    pub hook: Hook,
    pub program: Program,
    /// `None` for a program that was loaded by an earlier process.
    pub stats: Option<Stats>,
}

/// An image in the kernel: its programs and own tables, by descriptors. Endpoints of one class share it.
///
/// Dropping it lets go of the descriptors; programs that are attached or pinned stay.
#[derive(Debug)]
pub struct Loaded {
    pub(crate) digest: Digest,
    pub(crate) programs: Vec<LoadedProgram>,
    pub(crate) tables: Vec<LoadedTable>,
}

impl Loaded {
    /// The digest of the image.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The hooks for which the image has a program.
    pub fn hooks(&self) -> impl Iterator<Item = Hook> {
        self.programs.iter().map(|program| program.hook)
    }

    pub(crate) fn program(&self, hook: Hook) -> Option<&LoadedProgram> {
        self.programs.iter().find(|program| program.hook == hook)
    }

    /// What the verifier said of a hook's program; `None` without a program, or when an earlier process loaded it.
    pub fn stats(&self, hook: Hook) -> Option<&Stats> {
        self.program(hook)?.stats.as_ref()
    }

    /// Runs a hook's program on an Ethernet frame, in the network namespace of the calling thread.
    ///
    /// Errors: the kernel's; `ENOENT` when the image has no program for the hook.
    pub fn run(&self, hook: Hook, packet: &[u8], context: &Context, repeat: u32) -> Result<Run> {
        let program = self.program(hook).ok_or_else(|| no_program(self.digest, hook))?;
        program.program.run(packet, context, repeat).on(Operation::RunProgram, &program.name)
    }

    fn classes(&self, hook: Hook) -> impl Iterator<Item = &Mapped> {
        self.tables
            .iter()
            .filter(move |table| table.holds == Holds::Classes(hook))
            .filter_map(|table| table.mapped.as_ref())
    }

    /// Stores the class of a peer for one hook, in one store that programs see at once.
    ///
    /// Do this before the address table names the peer, so that no packet meets it without its class. A hook that decides without
    /// classes, and a peer number beyond the target's capacity, need no store: the number falls into class 0 by the contract.
    pub fn set_class(&self, hook: Hook, peer: u32, class: u16) {
        for mapped in self.classes(hook) {
            if let Some(word) = mapped.words16().get(peer as usize) {
                word.store(class, Ordering::Release);
            }
        }
    }

    /// Makes the classes for one hook exactly these, all other peers falling into class 0. What is right already is not stored again.
    ///
    /// An adopted image holds the classes that the earlier process stored; this is how they become those of today's peer numbers.
    pub fn fill_classes(&self, hook: Hook, classes: &[(u32, u16)]) {
        for mapped in self.classes(hook) {
            let words = mapped.words16();
            let mut wanted = vec![0; words.len()];
            for &(peer, class) in classes {
                if let Some(word) = wanted.get_mut(peer as usize) {
                    *word = class;
                }
            }
            for (word, class) in words.iter().zip(wanted) {
                if word.load(Ordering::Relaxed) != class {
                    word.store(class, Ordering::Release);
                }
            }
        }
    }

    /// Reads back the classes of all peers for one hook, by peer number. Shape: empty when the hook decides without classes.
    pub fn read_classes(&self, hook: Hook) -> Vec<u16> {
        let read = |mapped: &Mapped| mapped.words16().iter().map(|word| word.load(Ordering::Acquire)).collect();
        self.classes(hook).next().map(read).unwrap_or_default()
    }

    /// The packets that each cell of a decision counted. Shape: `None` when the direction decides nothing.
    pub fn read_cells(&self, direction: Direction) -> Option<Vec<u64>> {
        let name = CELL_COUNTERS[usize::from(direction == Direction::Egress)];
        let at = self.tables.iter().position(|table| table.name == name)?;
        self.read_counters(at as u16)
    }

    /// The counters of one of the image's tables, by its index in the image; `None` when that table holds something else.
    pub fn read_counters(&self, table: u16) -> Option<Vec<u64>> {
        let table = self.tables.get(usize::from(table)).filter(|table| table.holds == Holds::Counters)?;
        Some(table.mapped.as_ref()?.words64().iter().map(|word| word.load(Ordering::Relaxed)).collect())
    }
}

pub(crate) fn no_program(digest: Digest, hook: Hook) -> Error {
    let object = format!("{hook:?} of image {digest}");
    Error::Kernel { operation: Operation::LoadProgram, object, source: std::io::Error::from_raw_os_error(libc::ENOENT) }
}

/// Makes an image's tables and loads its programs. Nothing is attached or pinned; on failure nothing remains.
///
/// `node` gives the shared maps. Errors: [`Error::Verifier`], [`Error::Malformed`], or the kernel's.
/// Cost: the kernel walks the programs at the same time, some milliseconds each.
pub(crate) fn load<'n>(image: &Image, node: impl Fn(NodeMap) -> Option<&'n Map> + Sync) -> Result<Loaded> {
    let digest = image.digest();
    let tables = image.tables.iter().map(|table| create(image, digest, table)).collect::<Result<Vec<_>>>()?;
    let map = |reference| match reference {
        MapRef::Own(index) => tables.get(usize::from(index)).map(|table| &table.map),
        MapRef::Node(map) => node(map),
    };
    let load = |program: &image::Program| {
        let subject = &image.notes.subject;
        let insns = relocate(program, map).map_err(|what| Error::Malformed { object: subject.clone(), what })?;
        let (loaded, stats) = memlock::with(|| program::load(&program.name, &insns), |refused| &refused.error)
            .map_err(|refused| refusal(&program.name, subject, refused))?;
        Ok(LoadedProgram { name: program.name.clone(), hook: program.hook, program: loaded, stats: Some(stats) })
    };
    let programs = at_once(&image.programs, load).into_iter().collect::<Result<Vec<_>>>()?;
    Ok(Loaded { digest, programs, tables })
}

/// What `work` gives for each item, in their order: the first on this thread, the others beside it, where threads can be had.
fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let Some((first, others)) = items.split_first() else { return Vec::new() };
    std::thread::scope(|scope| {
        let work = &work;
        let beside = |item| std::thread::Builder::new().spawn_scoped(scope, move || work(item)).map_err(|_| item);
        let others: Vec<_> = others.iter().map(beside).collect();
        let mut done = vec![work(first)];
        for other in others {
            done.push(match other.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(item) => work(item),
            });
        }
        done
    })
}

fn create(image: &Image, digest: Digest, table: &image::Table) -> Result<LoadedTable> {
    let short = digest.short();
    let (holds, content): (_, Option<&[u8]>) = match &table.fill {
        Fill::Fixed(bytes) => (Holds::Fixed, Some(bytes)),
        Fill::Digest => (Holds::Digest, Some(&short)),
        Fill::Counters(_) => (Holds::Counters, None),
        Fill::Classes(program) => {
            let hook = image.programs.get(usize::from(*program)).map(|program| program.hook).ok_or_else(|| {
                let what = format!("table {} holds classes of program {program}, which is not there", table.name);
                Error::Malformed { object: image.notes.subject.clone(), what }
            })?;
            (Holds::Classes(hook), None)
        }
    };
    let spec = MapSpec {
        kind: MapKind::Array,
        key_size: 4,
        value_size: table.value_size(1 << image.target.peers_log2.min(30)),
        max_entries: 1,
    };
    let access = if content.is_some() { Access::ReadOnlyToPrograms } else { Access::Shared };
    let map = memlock::with(|| Map::create(&table.name, &spec, access), |error| error)
        .on(Operation::CreateMap, format_args!("{} of {}", table.name, image.notes.subject))?;
    let mapped = match content {
        Some(content) => {
            map.update(&[0; 4], content).on(Operation::WriteMap, &table.name)?;
            map.freeze().on(Operation::FreezeMap, &table.name)?;
            None
        }
        None => Some(Mapped::new(&map).on(Operation::MapMemory, &table.name)?),
    };
    Ok(LoadedTable { name: table.name.clone(), holds, map, mapped })
}

fn refusal(program: &str, subject: &str, refused: program::Refused) -> Error {
    if refused.log.is_empty() {
        let object = format!("{program} of {subject}");
        return Error::Kernel { operation: Operation::LoadProgram, object, source: refused.error };
    }
    let log = relevant(&refused.log);
    Error::Verifier { program: program.into(), object: subject.into(), log, source: refused.error }
}

/// The end of a verifier's log without its closing figures: the complaint and the 40 lines that led to it.
fn relevant(log: &str) -> String {
    const FIGURES: [&str; 3] = ["processed ", "verification time ", "stack depth "];
    let lines: Vec<&str> = log.lines().filter(|line| !FIGURES.iter().any(|figure| line.starts_with(figure))).collect();
    lines[lines.len().saturating_sub(41)..].join("\n")
}
