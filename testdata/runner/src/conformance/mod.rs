//! Conformance folders: scenarios with verdict tables of a reference engine.
//!
//! ```text
//!  scenario ─► inspect: manifests, directions in force ─┐
//!     │  └───► ask: every case of every engine ─────────┼─► Report: counts, and every wrong case
//!     └──────► compare: engines against the oracle ─────┘
//! ```
//! A wrong case is any difference in who passes, in redirect against allow and in authentication, for every engine; for the oracle
//! also deny against drop, proxy and L7 rules. Programs have neither proxies nor sessions yet: they are right about a redirect when
//! they drop with `no-proxy`, and about authentication when they drop with `auth-required`, whatever proxy comes after it.

mod ask;
mod compare;
mod inspect;
mod report;
mod requests;
mod run;
pub mod scenario;

pub use report::{Report, Wrong};
pub use run::{Options, run};
