//! Says what rules mean, one flow at a time: slow, obvious, trusted.
//!
//! In: `rules::RuleSet`, a peer and an L4 key, perhaps a request.  Out: [`Decision`] or [`RequestDecision`], with everything that
//! made it so.
//!
//! # Picture
//! ```text
//!  RuleSet ──► decide(peer, key) ──► Decision { verdict, by, because }
//!     │            └─ merge: the allows of one level become one verdict
//!     ├──► decide_request(peer, key, request) ──► RequestDecision: the union of what the same allows ask of requests
//!     └──► cells ──► one key of every stretch on which no answer can change
//! ```
//! # Does not know
//! Diagrams, tables, programs. Nothing here is shared with the code that it judges.
//! # Laws
//! The order of rules inside a level means nothing; an earlier level wins whatever it says; a deny wins inside its level
//! (`tests/walk.rs`). How allows merge is in `tests/merge.rs`, a law a test. A request never passes where its flow does not, and an
//! open allow of the deciding level opens every request (`tests/requests.rs`).
//! # Example
//! ```
//! use flow::{L4Key, PeerId, Protocol};
//!
//! let rules = rules::RuleSet::parse("tier normal\n level 0\n  allow peers {1} l4 tcp/80 by web rules[0]\n fallback deny by web \"\"")?;
//! let web = L4Key::new(Protocol::TCP, 80);
//! let decision = oracle::decide(&rules, PeerId(1), web);
//! assert_eq!((decision.verdict, decision.because), (flow::Verdict::ALLOW, oracle::Because::Rule { tier: 0, level: 0 }));
//! assert_eq!(rules.origin(decision.by[0]).map(|origin| origin.to_string()).as_deref(), Some("web rules[0]"));
//! assert_eq!(oracle::decide(&rules, PeerId(2), web).because, oracle::Because::Fallback);
//! # Ok::<(), rules::ParseError>(())
//! ```
//! # Reading order
//! [`decide`](decide()), then [`merge`](mod@merge), then [`decide_request`], then [`cells`](cells()).

mod cells;
mod decide;
pub mod merge;
mod requests;

pub use cells::cells;
pub use decide::{Because, Decision, decide};
pub use requests::{Reader, RequestDecision, RequestOutcome, decide_request, reader};
