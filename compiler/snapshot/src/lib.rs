//! Writes a cluster as one small file that says the same about policies, and takes its names out where they are nobody's business.
//!
//! In: a `facts` cluster and a [`Header`].  Out: text that reads back as the same cluster; the same text for the same cluster.
//!
//! # Picture
//! ```text
//!  Cluster ─minimal→ Cluster ─redact (if asked)→ Cluster ─items→ one line an object ─write→ text
//!  policy (tree) ────────────redact (if asked)─────────► object ───────────────────────┘
//! ```
//! # Does not know
//! Clocks, files, the network: when a snapshot was taken and where from is told.
//! # Laws
//! What is written reads back as what was meant, and twice the same gives the same bytes (`tests/round.rs`).
//! No verdict moves when cluster and policies are redacted alike (`cli/tests/cli/snapshot.rs`).
//! # Reading order
//! [`document`], [`mod@minimal`], `items` and `settings` (each kind as it is written), `tree` (from trees to JSON), [`mod@redact`].

pub mod document;
mod items;
pub mod minimal;
pub mod policy;
pub mod redact;
mod settings;
pub mod tree;

pub use document::{Header, NotRead, counts, header, write};
pub use minimal::minimal;
pub use redact::{Pattern, Redaction};
