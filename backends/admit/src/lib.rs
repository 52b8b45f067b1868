//! Says whether a kernel's verifier will take a program, and after how many instructions, without a kernel.
//!
//! In: an image, one of its programs, a kernel version.  Out: [`Admission`], or a [`Refusal`] that names instruction and construct.
//!
//! # Picture
//! ```text
//!  words ──form──► instructions, jumps, liveness ──explore──► every path, states kept and compared ──► Admission
//!  maps ──tables──────────────┘                      └─ step: frame, memory, branch, call
//! ```
//! # Does not know
//! Rules, diagrams, how programs are written; programs of others: what none of ours has is refused, with its name.
//! # Laws
//! What it takes, the kernel takes (`tests/kernel.rs`, on the running kernel, with mutants of every program).
//! A rule of a version that is not modelled makes it stricter, never more lenient.
//! # Reading order
//! [`Kernel`], [`admit`], then `form`, `explore`, `step`, then what steps do: `frame`, `memory`, `branch`, `call`; `same` and `precision` are
//! why paths end early.

mod bits;
mod branch;
mod call;
mod compare;
mod explore;
mod flow;
mod form;
mod frame;
mod helper;
mod insn;
mod kernel;
mod memory;
mod precision;
mod run;
mod same;
mod scalar;
mod state;
mod step;
mod tables;
mod value;

pub use kernel::Kernel;

use crate::run::Run;
use crate::tables::Tables;
use image::{Image, Program};
use std::fmt;

/// The most instructions that a kernel's verifier takes before it gives up.
pub const LIMIT: u32 = explore::PROCESSED;

/// What a kernel is expected to say of a program that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Instructions that its verifier takes, of [`LIMIT`]: `processed N insns` in its log.
    pub processed: u32,
    /// States that it keeps: `total_states`.
    pub states: u32,
    /// The most that it keeps at one instruction: `max_states_per_insn`.
    pub states_per_insn: u32,
}

/// Why a program is not expected to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The instruction word, from 0.
    pub at: usize,
    /// The construct, and what is wrong with it.
    pub what: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instruction {}: {}", self.at, self.what)
    }
}

/// Follows every path of a program as the verifier of a kernel does.
///
/// Supposed are a loader with `CAP_BPF` and `CAP_PERFMON`, and a processor that reads at any address (x86-64, arm64). Errors: [`Refusal`],
/// also where this crate does not know a construct that the kernel may take. Cost: about what it costs the kernel.
pub fn admit(image: &Image, program: &Program, kernel: Kernel) -> Result<Admission, Refusal> {
    let rules = kernel.rules();
    let refused = |(at, what)| Refusal { at, what };
    let little_endian = image.target.little_endian;
    let tables = Tables::of(image, program, &rules).map_err(refused)?;
    let is_reference = |at| tables.reference(at).is_some();
    let form = form::form(&program.insns, little_endian, is_reference).map_err(refused)?;
    tables.check(&form).map_err(refused)?;
    let mut run = Run::new(&form, &tables, rules, little_endian);
    run.explore().map_err(refused)?;
    Ok(Admission { processed: run.processed, states: run.saved.len() as u32, states_per_insn: run.most_states })
}
