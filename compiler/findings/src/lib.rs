//! Says what becomes of findings: which are asked for, which are known already, which mend themselves.
//!
//! In: `checks`' diagnostics and the database that they speak of.  Out: choices, fingerprints, contexts, mended texts.
//!
//! # Picture
//! ```text
//!  diagnostics ─► select ─► fingerprint ─► baseline, reports
//!       │            context (object, template it was rendered from) ─► reports
//!       └──────► mend ─ asks meaning ─► texts with edits, each safe or not
//! ```
//! # Does not know
//! Files, formats of reports, clocks, which codes there are.
//! # Laws
//! A fingerprint depends on what is found and on nothing above or below it in the file (`tests/findings/fingerprint.rs`).
//! A safe fix changes no verdict (`tests/findings/mend.rs`).
//! # Reading order
//! [`select`], [`context`], [`fingerprint`], `normal`, `part`, `meaning`, [`mend`].

pub mod context;
pub mod fingerprint;
mod meaning;
pub mod mend;
mod normal;
mod part;
pub mod select;
