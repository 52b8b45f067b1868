//! Answers questions about flows, with the lines of text that make the answer so.
//!
//! In: a `driver` database and a question in the words of its user.  Out: [`Trace`], structures without wording.
//!
//! # Picture
//! ```text
//!  "shop/web" ─party─► Party ─┐
//!  "shop/db"  ─party─► Party ─┼─trace─► Trace: egress side, ingress side, causes with places
//!  "8080/TCP" ─port──► keys ──┘   ▲ Ground: what many questions share
//!              service: those who answer for an address or a name ┴ parts: a range where it is answered differently
//! ```
//! # Does not know
//! Files on disk, terminals, JSON.
//! # Laws
//! The verdict is the oracle's. Every cause that stands in a file has its place (`tests`).
//! # Reading order
//! [`party`], then [`service`], then [`trace`], then [`parts`](mod@parts) of a range or a service, [`nearest`], [`proxied`], [`route`](mod@route), then
//! [`mod@doubt`], then [`compare`], then [`inquiry`].

pub mod compare;
pub mod doubt;
pub mod inquiry;
pub mod nearest;
pub mod parts;
pub mod party;
pub mod proxied;
pub mod route;
pub mod service;
mod sight;
pub mod trace;
mod world;

pub use compare::{Difference, differences};
pub use doubt::{Fact, Missing};
pub use inquiry::{Doubted, Inquiry};
pub use parts::{Part, Wanted, parts};
pub use party::{Party, Unreadable};
pub use service::Frontends;
pub use trace::{Cause, Question, Side, Stand, Trace, trace};
pub use world::Ground;
