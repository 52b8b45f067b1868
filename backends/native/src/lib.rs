//! Turns an image's programs into machine code of this computer, so that whole images run fast without a kernel.
//!
//! In: [`image::Image`], [`maps::NodeMaps`], a packet and its [`vm::Context`].  Out: what [`vm`] says, sooner.
//!
//! # Picture
//! ```text
//!  Image ──vm::load──► instructions ──translate──► Cranelift's form ──► machine code ──┐
//!                                                                                      ├─ Session ──run(packet, context)──► Outcome
//!  NodeMaps, own tables ───────────────────────────windows────────────────────────────┘      │  ▲
//!        arithmetic, jumps, packet, stack, context, tables, atomics: in machine code ◄───────┘  │
//!        hash maps, helpers, records, whatever is odd: ──call───────────────────────────────────┘ vm::Space, vm::helper
//! ```
//! # Does not know
//! Policies, rules, the kernel. What an instruction means to memory is the interpreter's alone: what is not plainly inside the packet,
//! the stack, the context or a table is asked of it, address by address, so that both engines have one memory and one set of faults.
//! # Laws
//! Packet, maps, action, count of instructions and fault are the interpreter's (`tests/differential.rs`), except that programs that jump
//! back look at their budget once a block. Machine code reads and writes only what a bounds check of its own, or the interpreter, has
//! allowed. A connection that is there or begins asks the interpreter for nothing (`tests/session.rs`).
//! # Reading order
//! [`machine`], [`translate`], `alu`, `guess`, `memory`, `cold`, then `call`, which holds all that is unsafe.

mod alu;
mod call;
mod cold;
mod guess;
pub mod machine;
mod memory;
pub mod translate;

pub use call::Session;
pub use machine::{BuildError, Cache, Machine};
