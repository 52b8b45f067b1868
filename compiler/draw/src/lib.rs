//! Draws decisions: as a tree of comparisons in plain text, and as graphs for Graphviz.
//!
//! In: the rules and the diagram of one direction, and words for peers and places.  Out: text.
//!
//! # Picture
//! ```text
//!  Diagram ─┬─► tree ──┬─► text     class < 2? key < tcp/81? allow by …
//!  RuleSet ─┘  (leaves)└─► dot ──► Graphviz
//!  Diagram ──────────────► dot
//!  Diagram, RuleSet ─────► cells    cells 0, 3: allow  by …
//! ```
//! # Does not know
//! Files, terminals, colours; what a peer number stands for, where an origin is written.
//! # Laws
//! Walking a tree answers what its diagram answers; a leaf names every origin that a flow which ends there has, and no other, and so does a cell; every
//! arrow goes from a lower number to a higher one; the shape depends on the cuts only (`tests/tree.rs`).
//! # Reading order
//! [`tree`], then [`text`], then [`dot`] and [`cells()`].

mod cells;
pub mod dot;
mod leaves;
pub mod text;
pub mod tree;

pub use cells::{MAX_CELLS, cells};
pub use tree::{TooLarge, Tree};

use flow::PeerId;
use rules::Origin;

/// One direction of one subject, and the words to draw it with.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    /// What is drawn, for example `ingress of shop/db`.
    pub title: &'a str,
    /// The rules.
    pub rules: &'a rules::RuleSet,
    /// What they mean.
    pub diagram: &'a diagram::Diagram,
    /// What a peer is called.
    pub peer: &'a dyn Fn(PeerId) -> String,
    /// Where an origin stands; `None` for what stands in no file.
    pub place: &'a dyn Fn(&Origin) -> Option<String>,
}

impl std::fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decision").field("title", &self.title).finish_non_exhaustive()
    }
}

/// How many names of a class are listed; the others are counted.
const NAMED: usize = 6;

impl Decision<'_> {
    /// The peers of each class in words, by class.
    fn members(&self) -> Vec<String> {
        let mut members: Vec<(Vec<String>, usize)> = vec![(Vec::new(), 0); self.diagram.classes()];
        for peer in (0..self.diagram.peers()).map(PeerId) {
            // Cannot miss: classes are dense.
            let (names, more) = &mut members[self.diagram.class_of(peer).0 as usize];
            if names.len() < NAMED { names.push(plain(&(self.peer)(peer))) } else { *more += 1 }
        }
        let words = |(at, (mut names, more)): (usize, (Vec<String>, usize))| {
            if more > 0 {
                names.push(format!("{more} more"));
            }
            if at == 0 {
                names.push("whatever has no number".into());
            }
            names.join(", ")
        };
        members.into_iter().enumerate().map(words).collect()
    }

    /// What is behind a leaf, each with its place.
    fn causes(&self, leaf: &leaves::Leaf) -> Vec<String> {
        leaf.by.iter().filter_map(|id| self.rules.origin(*id)).map(|origin| self.cause(origin)).collect()
    }

    /// An origin and its place.
    fn cause(&self, origin: &Origin) -> String {
        let place = (self.place)(origin).map_or(String::new(), |place| format!("  {place}"));
        plain(&format!("{origin}{place}"))
    }
}

/// Text of users without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}
