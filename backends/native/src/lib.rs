//! Turns an image's programs into machine code of this computer, so that whole images run fast without a kernel.
//!
//! In: [`image::Image`], [`maps::NodeMaps`], a packet and its [`vm::Context`].  Out: what [`vm`] says, sooner.
//!
//! # Picture
//! ```text
//!  Image ──vm::load──► instructions ──translate──► Cranelift's form ──► machine code
//!                                                                          │  ▲
//!        arithmetic, jumps, packet, stack, tables: in machine code ◄───────┘  │
//!        hash maps, helpers, atomics, the context, whatever is odd: ──call────┘ vm::Space, vm::helper
//! ```
//! # Does not know
//! Policies, rules, the kernel. What an instruction means to memory is the interpreter's alone: what is not plainly inside the packet,
//! the stack or a table is asked of it, address by address, so that both engines have one memory and one set of faults.
//! # Laws
//! Packet, maps, action, count of instructions and fault are the interpreter's (`tests/differential.rs`), except that a budget is looked
//! at once a block. Machine code reads and writes only what a bounds check of its own, or the interpreter, has allowed.
//! # Reading order
//! [`machine`], [`translate`], `alu`, `memory`, then `call`, which holds all that is unsafe.

mod alu;
mod call;
pub mod machine;
mod memory;
pub mod translate;

pub use machine::{BuildError, Cache, Machine};
