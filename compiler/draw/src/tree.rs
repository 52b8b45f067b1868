//! The decision as comparisons: first of the peer's class, then of the L4 key.

use crate::Decision;
use crate::leaves::{self, Leaf};
use diagram::ClassId;
use flow::L4Key;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use std::fmt;

/// The greatest tree that is drawn, in leaves; nobody reads a larger one.
pub const MAX_LEAVES: usize = 4096;

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Is the class of the peer below this one?
    Class(ClassId),
    /// Is the key below this one?
    Key(L4Key),
    /// The end.
    Leaf(Leaf),
}

/// One arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It is below.
    Yes,
    /// It is not.
    No,
}

/// A decision as comparisons. Equal parts are one part, so that it is a graph without circles rather than a tree.
///
/// Shape: each comparison has one arrow of each [`Answer`], `Yes` first; nodes are numbered so that every arrow goes from a lower
/// number to a higher one, the root being 0. Which cut is asked first follows from a hash of the cut alone (a treap), so a small
/// change of the rules changes little of the drawing.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) graph: DiGraph<Step, Answer>,
}

/// The tree is not worth drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// How many leaves it would have.
    pub leaves: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a tree of {} leaves is not drawn; {MAX_LEAVES} are the most", self.leaves)
    }
}

impl std::error::Error for TooLarge {}

impl Tree {
    /// The tree of a decision.
    ///
    /// Errors: more than [`MAX_LEAVES`] leaves.
    pub fn of(decision: &Decision<'_>) -> Result<Tree, TooLarge> {
        let leaves = decision.diagram.counts().intervals;
        if leaves > MAX_LEAVES {
            return Err(TooLarge { leaves });
        }
        let mut builder = Builder::default();
        let mut cases = Vec::new();
        for (class, stretches) in (0..).zip(leaves::leaves(decision)) {
            let keys: Vec<(L4Key, NodeIndex)> =
                stretches.into_iter().map(|(from, leaf)| (from, builder.node(Step::Leaf(leaf), None))).collect();
            cases.push((ClassId(class), builder.split(&keys, &Step::Key)));
        }
        let root = builder.split(&cases, &Step::Class);
        Ok(Tree { graph: in_order(&builder.graph, root) })
    }

    /// The nodes in the order of their numbers: each before those that its arrows go to.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.graph.node_weights()
    }

    /// Where the arrows of a comparison go: its numbers for yes and no; `None` for a leaf.
    pub fn next(&self, number: usize) -> Option<(usize, usize)> {
        let node = NodeIndex::new(number);
        let to = |answer| self.graph.edges(node).find(|edge| *edge.weight() == answer).map(|it| it.target().index());
        Some((to(Answer::Yes)?, to(Answer::No)?))
    }

    /// The leaf that a flow ends in, and how many comparisons lead there.
    pub fn walk(&self, class: ClassId, key: L4Key) -> (Option<&Leaf>, usize) {
        let (mut at, mut compares) = (0, 0);
        loop {
            let below = match self.graph.node_weight(NodeIndex::new(at)) {
                Some(Step::Class(cut)) => class < *cut,
                Some(Step::Key(cut)) => key < *cut,
                Some(Step::Leaf(leaf)) => return (Some(leaf), compares),
                None => return (None, compares),
            };
            // Terminates: every arrow goes to a higher number.
            let Some((yes, no)) = self.next(at) else { return (None, compares) };
            (at, compares) = (if below { yes } else { no }, compares + 1);
        }
    }

    /// The most comparisons that a flow meets.
    pub fn depth(&self) -> usize {
        let mut below = vec![0; self.graph.node_count()];
        for number in (0..below.len()).rev() {
            if let Some((yes, no)) = self.next(number) {
                below[number] = 1 + usize::max(below[yes], below[no]);
            }
        }
        below.first().copied().unwrap_or(0)
    }
}

/// Makes nodes, each once.
#[derive(Default)]
struct Builder {
    graph: DiGraph<Step, Answer>,
    known: BTreeMap<(Step, Option<(NodeIndex, NodeIndex)>), NodeIndex>,
}

impl Builder {
    fn node(&mut self, step: Step, next: Option<(NodeIndex, NodeIndex)>) -> NodeIndex {
        let wanted = (step, next);
        if let Some(known) = self.known.get(&wanted) {
            return *known;
        }
        let node = self.graph.add_node(wanted.0.clone());
        if let Some((yes, no)) = next {
            self.graph.add_edge(node, yes, Answer::Yes);
            self.graph.add_edge(node, no, Answer::No);
        }
        self.known.insert(wanted, node);
        node
    }

    /// Tells cases apart, each from its first value up to the next: the cut of the greatest hash is asked first.
    ///
    /// Cannot go deep: the depth is at most that of a treap over [`MAX_LEAVES`] cuts.
    fn split<K: Copy + Number>(&mut self, cases: &[(K, NodeIndex)], ask: &dyn Fn(K) -> Step) -> NodeIndex {
        let first = (1..cases.len()).max_by_key(|at| mix(cases[*at].0.number()));
        let Some(at) = first else { return cases[0].1 };
        let yes = self.split(&cases[..at], ask);
        let no = self.split(&cases[at..], ask);
        if yes == no { yes } else { self.node(ask(cases[at].0), Some((yes, no))) }
    }
}

/// What cuts are hashed by.
trait Number {
    fn number(self) -> u32;
}

impl Number for L4Key {
    fn number(self) -> u32 {
        self.raw()
    }
}

impl Number for ClassId {
    fn number(self) -> u32 {
        self.0
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): one number, one priority, on every machine.
fn mix(number: u32) -> u64 {
    let mut mixed = u64::from(number).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The part of a graph that hangs below a root, numbered so that every arrow goes to a higher number.
fn in_order(graph: &DiGraph<Step, Answer>, root: NodeIndex) -> DiGraph<Step, Answer> {
    // Cannot fail: a node is made after those that its arrows go to, so no arrow closes a circle.
    let order = toposort(graph, None).unwrap_or_default();
    let mut reached = vec![false; graph.node_count()];
    reached[root.index()] = true;
    let mut place = BTreeMap::new();
    let mut ordered = DiGraph::new();
    for node in order {
        if reached[node.index()] {
            graph.neighbors(node).for_each(|next| reached[next.index()] = true);
            place.insert(node, ordered.add_node(graph[node].clone()));
        }
    }
    let mut arrows: Vec<(NodeIndex, Answer, NodeIndex)> = graph
        .edge_references()
        .filter_map(|edge| Some((*place.get(&edge.source())?, *edge.weight(), *place.get(&edge.target())?)))
        .collect();
    arrows.sort_unstable();
    for (from, answer, to) in arrows {
        ordered.add_edge(from, to, answer);
    }
    ordered
}
