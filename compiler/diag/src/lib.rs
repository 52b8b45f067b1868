//! Says what a diagnostic is: code, severity, headline, labels, why, help, fixes.
//!
//! In: words and spans from `checks`.  Out: [`Diagnostic`], which terminals, editors, webhooks and reports each show in their own way.
//!
//! # Picture
//! ```text
//!  checks ──►  Diagnostic { TG0012, labels, why, help, fixes }  ──►  terminal, editor, admission answer, report
//! ```
//! # Does not know
//! How it is shown or serialised, which codes exist, what the text means.
//! # Laws
//! Sorting is total and depends on content only, so output is the same on every machine
//! (`diagnostic::tests`).
//! # Reading order
//! [`code`], then [`diagnostic`], then [`fix`].

pub mod code;
pub mod diagnostic;
pub mod fix;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label};
pub use fix::{Edit, Fix};
