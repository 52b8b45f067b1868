//! Says which flows two sets of files decide differently, and because of which rules.
//!
//! In: two filled `driver` databases, each with its own texts, facts and dialect.  Out: [`Delta`], structures without wording.
//!
//! # Picture
//! ```text
//!  old ─side─┐                ┌─► units: subjects that are alike on both sides ─┐
//!            ├─suppose─ World ┤                                                 ├─boxes─► ends ─rows─► Delta
//!  new ─side─┘                └─► parties: whoever is on the other side ────────┘
//! ```
//! Both sides are built over what policies of both mention, and over the subjects and peers of both, so that no class of peers of either
//! side hides a difference. Whoever no file tells of, and policies mention, is supposed: a pod of each workload, and one for each way in
//! which selectors can meet.
//! # Does not know
//! Files on disk, terminals, words, formats.
//! # Laws
//! The rows are exactly what the oracle answers otherwise, for every subject, peer and key (`brute`). Rewrites of equal meaning
//! give no row (`testdata/diff`). Whatever changes for some pod that there may be changes for a supposed one (`brute::supposed`).
//! # Reading order
//! [`side`], `ways`, `suppose`, `world`, `boxes`, `ends`, [`rows`], `group`, `spell`, then [`mod@diff`], `beside`, [`mod@equal`].

mod beside;
mod blocks;
mod boxes;
#[cfg(test)]
mod brute;
pub mod diff;
mod ends;
pub mod equal;
mod fates;
mod group;
mod guess;
mod names;
mod numbered;
pub mod rows;
pub mod side;
mod spell;
mod suppose;
mod ways;
mod world;

pub use diff::{Apart, Delta, diff, diff_from};
pub use equal::{Witness, equal, equal_after};
pub use fates::{Decided, Fate, Passes, Step};
pub use rows::{Change, Ends, Kind, Sample};
pub use side::Edit;
