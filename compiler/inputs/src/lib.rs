//! Holds the ground state: texts, cluster facts, dialect, node target. The only inputs of the incremental engine.
//!
//! In: what the programs at the edge read.  Out: [`SourceFile`], [`Bucket`], [`Project`].
//!
//! # Picture
//! ```text
//!  files ───► SourceFile ─► Bucket (about a hundred files) ─┐
//!  watches ─► snapshot of the cluster ──────────────────────┼─► Project ─► driver
//!  flags ───► dialect, target, limits ──────────────────────┤                │
//!                        Steady (Room, Ground) ◄────────────┘◄───────────────┘
//! ```
//! [`Steady`] is what the driver found in the rest and set back: see there.
//! # Does not know
//! Where a text came from, what it says, what time it is.
//! # Laws
//! Setting an input to the value that it has is the caller's mistake: the engine does not compare (`driver::Database` does).
//! # Reading order
//! [`SourceFile`], [`Project`], [`Steady`], [`Db`].

#![allow(
    missing_docs,
    reason = "the engine's macros make undocumented accessors; what is written by hand is documented"
)]

use facts::{Cluster, Config};
use hir::peers::PeerTable;
use hir::{Dialect, Policy};
use image::Target;
use source::FileId;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

/// One text.
#[salsa::input]
pub struct SourceFile {
    /// The number that diagnostics carry.
    #[returns(copy)]
    pub id: FileId,
    /// What people call it; `-` for standard input.
    #[returns(deref)]
    pub path: Arc<str>,
    /// Its content; `None` once it is deleted (inputs are never freed, so they are used again).
    #[returns(clone)]
    pub text: Option<Arc<str>>,
}

/// A group of files. It keeps the number of edges low that the engine follows after an edit.
#[salsa::input]
pub struct Bucket {
    /// The files, in the order of their paths.
    #[returns(clone)]
    pub files: Arc<[SourceFile]>,
}

/// Everything else.
#[salsa::input]
pub struct Project {
    /// The files, grouped.
    #[returns(clone)]
    pub buckets: Arc<[Bucket]>,
    /// Facts that no file tells: a snapshot of a live cluster, or configuration alone.
    #[returns(clone)]
    pub cluster: Arc<Cluster>,
    /// The reading of the policy language.
    #[returns(copy)]
    pub dialect: &'static Dialect,
    /// The namespace of objects that name none.
    #[returns(deref)]
    pub namespace: Arc<str>,
    /// The node that images are built for.
    #[returns(clone)]
    pub target: Target,
    /// Whether what was not read may exist.
    #[returns(copy)]
    pub knowledge: Knowledge,
    /// Which facts of the texts count.
    #[returns(copy)]
    pub heeded: Heeded,
    /// Kinds of policies of which some may exist that could not be read, ascending.
    #[returns(clone)]
    pub unread: Arc<[String]>,
    /// Never changes, and for all that the engine knows it may at any time. What follows from all files reads it, so that it is as ready to change
    /// before the first edit of a file as after: where a value becomes readier to change, the engine runs all that follows from it.
    #[returns(copy)]
    pub restless: bool,
    /// What was found in the above, where edits are expected.
    #[returns(clone)]
    pub steady: Option<Arc<Steady>>,
}

/// What follows from all files together and was found to be as it is, set back as ground state. The driver sets it after each change,
/// and only where it differs.
///
/// Whatever follows from all files follows from the one that was edited, so the engine has to look at it after each edit. A class reads
/// its namespace's policies here instead: an edit elsewhere is nothing that it follows from, and the engine does not look at it at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steady {
    /// What all classes read.
    pub ground: Ground,
    /// What the classes of a namespace read; the empty name is for policies of the whole cluster.
    pub rooms: BTreeMap<String, Room>,
}

/// What all classes read of the cluster.
#[salsa::input]
#[derive(Debug)]
pub struct Ground {
    /// The peers without their addresses and names.
    #[returns(clone)]
    pub space: Arc<PeerTable>,
    /// The configuration.
    #[returns(clone)]
    pub config: Arc<Config>,
}

/// The policies that can select subjects of one namespace.
#[salsa::input]
#[derive(Debug)]
pub struct Room {
    /// By name.
    #[returns(clone)]
    pub policies: Arc<[Arc<Policy>]>,
}

/// Which facts of the texts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heeded {
    /// All of them.
    #[default]
    All,
    /// What people declare: namespaces, services, workloads, sets of prefixes. What only a running cluster tells does not count: pods, nodes,
    /// backends, how its agent is set up, DNS answers.
    Declared,
}

/// What follows from an object that was not read. Meaning does not depend on it; answers to questions do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knowledge {
    /// It does not exist: the texts and the snapshot are the whole cluster.
    #[default]
    Complete,
    /// It may exist: texts are a part of a cluster, such as a folder of manifests.
    Partial,
}

/// What every query needs beside its arguments.
#[salsa::db]
pub trait Db: salsa::Database {
    /// The project.
    fn project(&self) -> Project;
    /// Limits of parsing.
    fn syntax_limits(&self) -> &syntax::Limits;
    /// Limits of diagrams.
    fn diagram_limits(&self) -> &diagram::Limits;
    /// Whether trees are kept once a file is decoded, for whoever asks for places in most files anyway. One answer for the life of a
    /// database.
    fn keeps_trees(&self) -> bool;
    /// Ends the question where nobody wants its answer any more; for loops that ask nothing for long. Never inside a query: whoever waits for
    /// that would be ended, too.
    fn still_wanted(&self);
    /// Whether anybody listens to [`Db::ran`].
    fn listens(&self) -> bool;
    /// Notes that a query runs, for tests and statistics; costs nothing when nobody listens.
    fn ran(&self, query: &'static str, key: &dyn Display);
}
