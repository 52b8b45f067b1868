//! Gives every policy kind one shape, every remote party a number, and binds the two.
//!
//! In: [`Policy`] values (from `kinds`) and a `facts::Cluster`.  Out: [`Bound`], one per subject class.
//!
//! # Picture
//! ```text
//!  kinds ─► Policy ───────────┐
//!                             ├─resolve─► Bound ─► lower
//!  facts ─► PeerTable, Class ─┘
//! ```
//! # Does not know
//! Text, spans, files, kernels, time. A place is an object and a path such as `spec.ingress[0].from[1]`, so that an edit above a
//! rule changes nothing here.
//! # Laws
//! All values are `Eq` and ordered, so equal answers stop an incremental rebuild. The number of a peer never changes while a table
//! is extended (`peers::tests`).
//! # Reading order
//! [`dialect`], [`labels`], [`policy`], [`peers`], [`subject`], [`mod@resolve`], [`gateway`], [`identities`].

pub mod dialect;

pub mod labels;

pub mod filter;

pub mod policy;

pub mod refusal;

pub mod peers;

pub mod subject;

pub mod identities;

pub mod reach;
pub mod resolve;

pub mod gateway;

pub use dialect::Dialect;
pub use labels::{Label, LabelSet, Operator, Requirement, Selector, Source};
pub use peers::{HostId, HostKey, Mentions, NamedPorts, PeerInfo, PeerKey, PeerTable};
pub use policy::{
    Effect, Entity, Entry, Icmp, Isolation, L3, L4, L7, Matching, ObjectRef, Origin, Parser, Peer, PeerSelector,
    Policy, PortItem, Ports, Requires, Section, ServiceSelector, Subjects, Tier, TlsContext, Which,
};
pub use refusal::{Refusal, Setting, refusals};
pub use resolve::{Bound, BoundDirection, BoundRule, Conflict, ConflictKind, Members, members, resolve};
pub use subject::{Class, Subject, SubjectKind, classes};
