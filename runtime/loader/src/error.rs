//! What can go wrong between us and the kernel, and whether trying again may help.

use image::{Digest, NodeMap};
use std::io;
use std::path::PathBuf;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Making a map.
    CreateMap,
    /// Mapping a map's memory.
    MapMemory,
    /// Reading a map.
    ReadMap,
    /// Writing a map.
    WriteMap,
    /// Making a map read-only.
    FreezeMap,
    /// Loading a program, refused before the verifier saw it.
    LoadProgram,
    /// Running a program on a packet.
    RunProgram,
    /// Attaching a program to an interface.
    Attach,
    /// Replacing an attached program.
    Replace,
    /// Taking a program off an interface.
    Detach,
    /// Asking what is attached.
    Query,
    /// Mounting the BPF file system.
    Mount,
    /// Pinning an object, or making a folder for pins.
    Pin,
    /// Opening a pin, or reading a folder of pins.
    OpenPin,
    /// Removing a pin or its folder.
    RemovePin,
    /// Waiting until no program sees what was taken away.
    Grace,
}

impl Operation {
    /// The operation as people read it, before the name of its object.
    pub fn name(self) -> &'static str {
        match self {
            Operation::CreateMap => "create map",
            Operation::MapMemory => "map the memory of",
            Operation::ReadMap => "read map",
            Operation::WriteMap => "write map",
            Operation::FreezeMap => "freeze map",
            Operation::LoadProgram => "load program",
            Operation::RunProgram => "run program",
            Operation::Attach => "attach",
            Operation::Replace => "replace",
            Operation::Detach => "detach",
            Operation::Query => "query",
            Operation::Mount => "mount",
            Operation::Pin => "pin",
            Operation::OpenPin => "open pin",
            Operation::RemovePin => "remove pin",
            Operation::Grace => "wait for programs after",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether trying the same again may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retry {
    /// The kernel was interrupted or short of something for a moment.
    Soon,
    /// Only after something else has changed: an interface has come back, a table has room, another program has gone.
    AfterChange,
    /// The same will fail again.
    Never,
}

/// A failure of the world. After any of them the programs that were attached before are attached still.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    #[error("cannot {operation} {object}: {source}")]
    Kernel {
        /// What was tried.
        operation: Operation,
        /// On what: a map, program, interface, path or endpoint.
        object: String,
        /// The kernel's error.
        source: io::Error,
    },
    /// The verifier refused a program.
    #[error("the kernel refused program {program} of {object}: {source}\n{log}")]
    Verifier {
        /// The kernel's name of the program.
        program: String,
        /// The image's subject.
        object: String,
        /// The end of the verifier's log: what it found wrong, and the states before it.
        log: String,
        /// The kernel's error.
        source: io::Error,
    },
    /// A pinned map is not what this build would make.
    #[error("pinned map {} has another layout: {found}, wanted {wanted}", map.name())]
    Layout {
        /// The map.
        map: NodeMap,
        /// What the kernel has, as text.
        found: String,
        /// What the target asks for, as text.
        wanted: String,
    },
    /// The image was built for another target than the node has.
    #[error("image {digest} of {object} was built for another target than node {node} has")]
    Target {
        /// The image.
        digest: Digest,
        /// The image's subject.
        object: String,
        /// The node.
        node: String,
    },
    /// The kernel lacks what programs of the target need.
    #[error("this kernel lacks {lacks}, which {object} was built to use; build for it with `--target-kernel {kernel}`")]
    Lacks {
        /// The image's subject, or the node.
        object: String,
        /// What it lacks, with the version that has it.
        lacks: &'static str,
        /// The version to build for.
        kernel: &'static str,
    },
    /// A target of another byte order than the machine's.
    #[error("node {node} is to have another byte order than this machine")]
    ByteOrder {
        /// The node.
        node: String,
    },
    /// The image contradicts itself; it was not built by a compiler of this contract.
    #[error("image of {object} is malformed: {what}")]
    Malformed {
        /// The image's subject.
        object: String,
        /// What is wrong with it.
        what: String,
    },
    /// Pins say something that their folder does not allow.
    #[error("pin {} is damaged: {what}", path.display())]
    Damaged {
        /// The pin.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A table of the node has no room.
    #[error("{} has no room for {object}", map.name())]
    Full {
        /// The table.
        map: NodeMap,
        /// What was to be stored.
        object: String,
    },
    /// Somebody else changed what is attached in our place; nothing was replaced.
    #[error("{object} holds a program that is not the one we attached")]
    Taken {
        /// The place.
        object: String,
    },
    /// A name that cannot be a pin.
    #[error("`{name}` cannot name a {what}: it must have 1 to 80 bytes")]
    Name {
        /// The name.
        name: String,
        /// What it was to name.
        what: &'static str,
    },
}

impl Error {
    /// Whether trying the same again may succeed.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Kernel { source, .. } => match source.raw_os_error() {
                Some(libc::EINTR | libc::EAGAIN | libc::EBUSY | libc::ENOMEM | libc::ENOBUFS) => Retry::Soon,
                Some(libc::ENODEV | libc::ENOLINK | libc::ENOSPC | libc::EEXIST | libc::ENOENT) => Retry::AfterChange,
                _ => Retry::Never,
            },
            Error::Full { .. } | Error::Taken { .. } => Retry::AfterChange,
            Error::Verifier { .. }
            | Error::Layout { .. }
            | Error::Target { .. }
            | Error::Lacks { .. }
            | Error::ByteOrder { .. }
            | Error::Malformed { .. }
            | Error::Damaged { .. }
            | Error::Name { .. } => Retry::Never,
        }
    }

    /// The kernel's error number, when there is one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Error::Kernel { source, .. } | Error::Verifier { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

/// Says which operation on which object an input or output error belongs to.
pub(crate) trait Context<T> {
    fn on(self, operation: Operation, object: impl std::fmt::Display) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn on(self, operation: Operation, object: impl std::fmt::Display) -> Result<T> {
        self.map_err(|source| Error::Kernel { operation, object: object.to_string(), source })
    }
}
