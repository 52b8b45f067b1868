//! Holds recorded flows against policies: what they would decide now, what changes, what cannot be said; and what policies would be made of them.
//!
//! In: bytes of flow records, and databases of policies and facts.  Out: [`Outcome`], counts and changed verdicts with their rules.
//!
//! # Picture
//! ```text
//!  Hubble JSON ─┐
//!  CSV ─────────┼─read─► Tally: who, with whom, which port ─► how often, first, last
//!  our records ─┘              │
//!        facts of the cluster ─┴─place─► pods, nodes, addresses ─judge─► Outcome: coverage, changes
//!                                                             └─suggest─► policies
//! ```
//! A log says the same again and again, so records are counted by what they say and each kind is decided once: the cost of a record is that
//! of reading it.
//! # Does not know
//! Files, compression, terminals, JSON reports.
//! # Laws
//! Every record is in exactly one count: decided, undecidable, or broken (`tests/replay/coverage.rs`). What is decided is what the oracle says of
//! the same ends (`tests/replay/judge.rs`). The order of records changes nothing (`tests/replay/coverage.rs`).
//! # Reading order
//! [`time`], [`record`], [`read`], [`tally`], [`place`], `roads`, [`judge`], [`outcome`], then
//! [`suggest`].

pub mod judge;
pub mod outcome;
pub mod place;
pub mod read;
pub mod record;
mod roads;
pub mod suggest;
pub mod tally;
pub mod time;

pub use judge::Judge;
pub use outcome::Outcome;
pub use tally::Tally;
pub use time::Time;
