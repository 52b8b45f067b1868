//! From bytes to a tuple: whose packet it is, and what tracking and the decision are asked.
//!
//! ```text
//!  entry ─► common shapes in linear data ──────────────────────────────► track
//!     └──► general: pull what is missing, then every shape ─► tuple ──────┘
//! ```
//! The common path knows plain headers and ports only. Whatever it does not know, what it would have to drop included, it leaves to
//! the general path, which looks at everything again from the start.

mod common;
mod entry;
mod fragment;
mod general4;
mod host;
mod icmp4;
mod tunnel;

mod general6;
mod icmp6;
pub(crate) use general4::General;
