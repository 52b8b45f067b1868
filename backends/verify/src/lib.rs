//! Proves that an image does what its rules say, from its bytes alone.
//!
//! In: an `image::Image`, and diagrams or the rules that it carries.  Out: [`Certificate`], or every reason why there is none.
//!
//! # Picture
//! ```text
//!  rules of the image ─parse, build, ask the oracle─► diagrams ──────────────┐
//!                                                                            ├─ equal? ─► Certificate
//!  programs ─┬─ decisions ─lift (with the tables' bytes)─► functions of ─────┘
//!            │                                             peer class and key
//!            └─ the rest ─digest─► one of the known templates ◄─ proved on every path: `whole`
//! ```
//! # Does not know
//! How programs are made: it shares no code with `ebpf`. Whose number a peer has; the kernel.
//! # Laws
//! A proof is of every peer and every key, of programs and of the plan that user space decides by. What is not understood is refused. Changed
//! programs and tables that mean something else are refused, and every program that `ebpf` makes is proved (`tests/proof.rs`). Templates are
//! proved from their first instruction to every exit, against the rules of packets written a second time (`tests/whole.rs` those that cover all
//! forms, hooks, byte orders and kernels; `cargo xtask prove` all that are listed).
//! # Cuts
//! * A certificate proves the step from (peer, protocol, port, tracking) to what is done. From bytes to these it trusts the list of templates,
//!   each of which was proved before it was listed; [`certify_whole`] proves them again. Address tables are read back by the node.
//!   [`certificate::CUTS`] names all steps and what vouches for each.
//! * Of a whole program it is not proved which connection a full set forgets. Configuration, endpoints, addresses and peers are supposed not to
//!   change while it runs, and pointers to be checked before they are read, as kernels ask. Bytes that are not linear are not there, but only
//!   behind a pull of the first 256; whose a frame at the node is, is asked of what is linear behind the first pull.
//! # Reading order
//! [`prove`], then [`lift`], [`dd`], [`template`], `planned`, then [`rules_of`] and [`certificate`]; then [`whole`].

pub mod certificate;
pub mod dd;
pub mod insn;
pub mod lift;
mod planned;
pub mod prove;
pub mod rules_of;
pub mod template;
pub mod whole;

pub use certificate::{Certificate, certify, certify_whole};
pub use prove::{DecisionProof, ProgramProof, Refusal, prove, prove_with, template_of};
pub use rules_of::diagrams_of;
