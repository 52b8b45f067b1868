//! Speaks the Language Server Protocol for `ide`: documents, positions, requests, diagnostics.
//!
//! In: a [`lsp_server::Connection`], and a [`World`] that reads files.  Out: answers and diagnostics, until the client says `exit`.
//!
//! # Picture
//! ```text
//!  client ──notifications──► server ─ edits ─► Database ─┐ clones
//!         ──requests───────► queue ───────────► workers ◄┘ ──► requests/… ─► ide
//!         ◄─answers, diagnostics── server ◄─ outcomes ─┘
//! ```
//! # Does not know
//! What a policy means, how files are read, the clock.
//! # Laws
//! One thread owns the database, and messages take effect in the order in which they came. A request that an edit overtakes is answered
//! with `ContentModified`, one that was cancelled with `RequestCancelled`; none stays without an answer (`tests/session/order.rs`).
//! After any edits what is published equals what a fresh start finds (`tests/session/random.rs`).
//! # Reading order
//! [`world`], `settings`, [`positions`], `documents`, `view`, `requests`, `publish`, `pool`, [`server`] with its parts, [`stats`].

mod capabilities;
mod client;
mod documents;
mod pool;
pub mod positions;
mod publish;
mod requests;
pub mod server;
mod settings;
pub mod stats;
mod view;
pub mod world;

pub use server::{Failure, serve};
pub use stats::Stats;
pub use world::{Form, Judge, Keep, Opened, World};
