//! Keeps the house: the rules of `docs/dev/architecture.md` as programs that fail.
//!
//! In: the text of the repository.  Out: findings, each with a place and a reason; exit code 1 when there is one.
//!
//! # Picture
//! ```text
//!  cargo xtask NAME ──► one module per subcommand
//!                        tidy: files ─read→ House ─rules→ findings
//! ```
//! # Does not know
//! What policies mean. Tidy starts no compiler and reads nothing outside the repository.
//! # Laws
//! Every rule of tidy has a test with a planted violation, and the repository itself has no finding (`tests/house.rs`).
//! # Reading order
//! [`tidy`], then the rules that it lists.

pub mod tidy;
