//! Runs the commands of `tidegate`: reads arguments and files, asks the crates below, prints.
//!
//! In: arguments, files, standard input.  Out: text or JSON, and an exit code: 0 clean, 1 findings, 2 bad input or usage.
//!
//! # Picture
//! ```text
//!  args ─► files ─► driver ─► checks ─► render / report ─► output
//!                     └────► lab, loader
//! ```
//! # Does not know
//! What a policy means; how a program is made.
//! # Laws
//! Output is the same for the same input, in any order of files. An output file appears whole or not at all (`output::tests`).
//! # Reading order
//! [`args`], [`plugin`], [`config`], [`files`], [`rendered`], [`git`], [`output`], [`formats`], [`mod@format`], [`mod@sarif`], [`junit`], [`visible`], [`temporary`], [`watch`], [`render`], [`report`], [`cluster`], [`session`], [`listed`], [`certificate`], then [`command`], one file a subcommand.

pub mod args;
pub mod certificate;
pub mod cluster;
pub mod command;
pub mod config;
pub mod files;
pub mod format;
pub mod formats;
pub mod git;
pub mod inputs;
pub mod junit;
pub mod listed;
pub mod output;
pub mod plugin;
pub mod profile;
pub mod render;
pub mod rendered;
pub mod report;
pub mod sarif;
pub mod session;
pub mod temporary;
pub mod visible;
pub mod watch;
