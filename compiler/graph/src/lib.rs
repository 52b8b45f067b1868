//! Draws who reaches whom: one vertex for what is alike, one edge with the ports that both ends let through.
//!
//! In: a `driver` database and what is wanted.  Out: [`Graph`], and its text for Graphviz, Mermaid and tables.
//!
//! # Picture
//! ```text
//!  pods, workloads ─┐                    ┌─ sides: what a class lets pass, by diagram ─┐
//!  nodes, world ────┴─ atoms: who is ───►┤                                             ├─ meet ─► edges ─► vertices of the level
//!                      treated alike     └─ doubt: what hangs on facts not read ───────┘             └─► dot, mermaid, csv
//! ```
//! # Does not know
//! Files on disk, terminals, HTML. What policies mean: diagrams say what passes, the oracle says because of which rules.
//! # Laws
//! An edge has exactly the ports that `reason::trace` allows between the members of its ends (`tests/agrees.rs`). The cost follows the
//! classes of subjects and peers, not the pods.
//! # Reading order
//! [`wanted`], [`model`], `stage`, `atoms`, `sides`, `edges`, `doubt`, `why`, `outside`, then [`words`], [`dot`], [`mermaid`], [`csv`].

mod atoms;
pub mod csv;
pub mod dot;
mod doubt;
mod edges;
pub mod mermaid;
pub mod model;
mod outside;
mod sides;
mod stage;
pub mod wanted;
mod why;
pub mod words;

pub use model::{Because, Edge, End, Graph, Kind, Note, Vertex};
pub use wanted::{Filter, Level, Wanted};

use driver::Db;

/// Who reaches whom.
///
/// Errors: a diagram would exceed a limit.
pub fn connect(db: &dyn Db, wanted: &Wanted) -> Result<Graph, diagram::TooLarge> {
    let stage = stage::Stage::of(db);
    let atoms = atoms::atoms(&stage, wanted.level);
    edges::graph(&stage, atoms, wanted)
}
