//! Measures the targets of the design: packets per program, policies per compile.
//!
//! In: nothing, or the names of targets.  Out: one line a measurement, ours and a peer-shaped program in the same run.
//!
//! # Picture
//! ```text
//!  datapath: Case ─► image ─────────┐
//!               └──► peers::* ──────┴─ BPF_PROG_TEST_RUN, interleaved rounds ─► T1 T2 T3 T4 T5 T8 T10
//!  user_space: Case ─► image ─► vm::tables, vm, native ─► T11 T15
//!  live:     World ─► driver ─► enforce ─► interfaces of a lab ─► edit to live; Case ─► proof, load and swap by rules ─► T9
//!  compile:  World ─► driver ─► classes, diagrams, images ─► wall time, memory ─► T9 T12 R-C5
//!  diff:     World × 2 ─► delta ─► rows, wall time, memory ─► diff
//!  editor:   World ─► ide ─► findings after an edit, completion, hover ─► T13
//! ```
//! # Does not know
//! What figure is good enough: limits are a reader's; a line carries ratios.
//! # Laws
//! A peer-shaped program decides as the rules mean, else it is not measured (`tests/peers.rs`). Worlds and rings are the same in every run.
//! # Reading order
//! [`datapath`], [`datapath::case`], [`peers`], [`user_space`], then [`compile`], [`live`], [`mod@diff`], [`editor`], [`world`], [`tenants`]; [`line`] is the output.

pub mod clock;
pub mod compile;
pub mod datapath;
pub mod diff;
pub mod editor;
pub mod line;
pub mod live;
pub mod peers;
pub mod random;
pub mod tenants;
pub mod user_space;
pub mod world;
