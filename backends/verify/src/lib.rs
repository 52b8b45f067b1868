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
//!            └─ the rest ─digest─► one of the known templates
//! ```
//! # Does not know
//! How programs are made: it shares no code with `ebpf`. Whose number a peer has; the kernel.
//! # Laws
//! A proof is of every peer and every key, of programs and of the plan that user space decides by. What is not understood is refused. Changed programs and tables that mean something else
//! are refused, and every program that `ebpf` makes is proved (`tests/proof.rs`).
//! # Cuts
//! What is proved here is the step from (peer, protocol, port, tracking) to what is done. From bytes to these it trusts the templates,
//! which packets were put through and judged before they were listed (`tests/templates.rs`); programs of all four hooks
//! are proved on every path besides, for the forms, settings and sizes that `tests/whole` has. Address tables are read back by the node.
//! [`certificate::CUTS`] names all steps and what vouches for each.
//! # Reading order
//! [`prove`], then [`lift`], [`dd`], [`template`], `planned`, then [`rules_of`] and [`certificate`].

pub mod certificate;
pub mod dd;
pub mod insn;
pub mod lift;
mod planned;
pub mod prove;
pub mod rules_of;
pub mod template;

pub use certificate::{Certificate, certify};
pub use prove::{DecisionProof, ProgramProof, Refusal, prove, prove_with, template_of};
pub use rules_of::diagrams_of;
