//! Holds the contract between the compiler and a node: programs, tables, target, plan, digest.
//!
//! In: nothing of ours.  Out: [`Image`] and the layouts that programs, user space and the kernel share.
//!
//! # Picture
//! ```text
//!  ebpf ──► Image ──► file ──► loader ──► kernel
//!             │  └──► vm, verify (the same bytes in user space)
//!             └── node maps: shared by all images of a node ([`layout`], [`address`])
//! ```
//! # Does not know
//! Rules, diagrams, Kubernetes, system calls. Instructions are opaque 8-byte words here.
//! # Laws
//! Equal images have equal digests and equal file bytes. The digest does not cover peer numbers or text (`file::tests`).
//! # Reading order
//! [`program`], [`table`], [`target`], [`plan`], then [`layout`], [`codec`], [`reason`], [`address`], [`file`].

pub mod address;
pub mod codec;
pub mod file;
pub mod layout;
pub mod plan;
pub mod program;
pub mod reason;
pub mod table;
pub mod target;

pub use file::{Digest, FileError};
pub use plan::{CellPlan, DirectionPlan, KeyPlan, LeafPlan, PagePlan, Plan};
pub use program::{Hook, MapRef, Program, Reloc};
pub use reason::DropReason;
pub use table::{CELL_COUNTERS, Fill, Table};
pub use target::{Exchange, MapKind, MapSpec, NARROW_VALUE, NodeMap, Target};

use serde::{Deserialize, Serialize};

/// The version of the image contract: file format, node map layouts and their meaning together.
pub const VERSION: u32 = 4;

/// Everything a node needs to enforce the policy of one endpoint class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What the programs assume about the node.
    pub target: Target,
    /// One program a hook, ingress first.
    pub programs: Vec<Program>,
    /// The tables that belong to this image alone; [`MapRef::Own`] indexes them.
    pub tables: Vec<Table>,
    /// How each direction decides.
    pub plan: Plan,
    /// What people and proofs need beside the programs; outside the digest.
    pub notes: Notes,
}

/// The part of an image that never reaches the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The name of the endpoint class, for people.
    pub subject: String,
    /// The rules of each direction in the text form of `rules`, ingress first; `verify` starts from them.
    pub rules: Vec<String>,
}

impl Image {
    /// The hooks of the subject, ingress first.
    pub fn hooks(&self) -> [Hook; 2] {
        if self.programs.iter().any(|program| program.hook.is_host()) { Hook::HOST } else { Hook::BOTH }
    }

    /// The program of a hook, when the image has one.
    pub fn program(&self, hook: Hook) -> Option<&Program> {
        self.programs.iter().find(|program| program.hook == hook)
    }
}
