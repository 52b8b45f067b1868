//! Says what a proxy is asked and which requests rules admit: HTTP, DNS, Kafka, TLS server names, generic records.
//!
//! In: the request rules of the allows that meet one flow, and one [`Request`].  Out: [`Judgement`]: what admits it, or how a
//! refusal looks, and what would have to be known.
//!
//! # Picture
//! ```text
//!  Requests ─┐                       ┌─ admitted: which set, which element of it
//!  Requests ─┼─judge(…, &Request)──► ┤
//!  none      ─┘ (an open allow)      └─ refusal: 403, REFUSED, reset …
//!     │
//!     ├─ HttpRule: Pattern (RE2 text, full match), HeaderRule
//!     ├─ DnsRule, server names: [`name`] patterns
//!     ├─ KafkaRule: API keys, topics together
//!     └─ generic: key and value, all equal
//! ```
//! # Does not know
//! Who asks, of whom, at which port; manifests; how a proxy is built.
//! # Laws
//! More sets never admit less (`tests/judge.rs`). A set without elements of its own admits all that it can read. No text makes a
//! pattern panic, and a pattern that is not understood admits nothing (`tests/patterns.rs`).
//! # Reading order
//! [`Request`], then [`Requests`], then [`judge`], then [`covers()`]: `texts`, `region`.

mod covers;
mod http;
mod kafka;
pub mod name;
mod pattern;
mod re2;
mod region;
mod request;
mod rules;
mod stopped;
mod text;
mod texts;

pub use covers::{covers, reads_alike};
pub use http::{HeaderRule, HttpRule, Mismatch, Wanted};
pub use kafka::{KafkaApi, KafkaRole, KafkaRule};
pub use pattern::{BadPattern, Pattern};
pub use request::{Http, Kafka, Message, Request, Transport};
pub use rules::{Admitted, DnsRule, Judgement, Missing, Refusal, Requests, Rules, judge};
pub use stopped::{Stopped, stopped, unread};
pub use text::{Unreadable, quoted, words};
