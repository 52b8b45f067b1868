//! Graphs for Graphviz: `dot -Tsvg`.

use crate::tree::{Answer, Step, Tree};
use crate::{Decision, plain};
use flow::{L4Set, Verdict};
use petgraph::dot::{Config, Dot};
use petgraph::graph::DiGraph;
use std::collections::BTreeMap;

/// The tree of a decision as one `digraph`.
pub fn tree(decision: &Decision<'_>) -> String {
    let title = format!("{}: comparisons", decision.title);
    let tree = match Tree::of(decision) {
        Ok(tree) => tree,
        Err(problem) => return write(&format!("{title} ({problem})"), &DiGraph::new()),
    };
    let node = |step: &Step| match step {
        Step::Class(cut) => Node::asks(format!("class < {}?", cut.0)),
        Step::Key(cut) => Node::asks(format!("key < {cut}?")),
        Step::Leaf(leaf) => {
            let origins = leaf.by.iter().filter_map(|id| decision.rules.origin(*id));
            let lines: Vec<String> = origins.map(|origin| decision.cause(origin)).collect();
            Node::ends(leaf.verdict, &lines)
        }
    };
    let arrow = |answer: &Answer| match answer {
        Answer::Yes => "yes".to_owned(),
        Answer::No => "no".to_owned(),
    };
    write(&title, &tree.graph.map(|_, step| node(step), |_, answer| arrow(answer)))
}

/// The diagram of a decision as one `digraph`: peer → class → verdict, the last arrows named by their keys.
pub fn diagram(decision: &Decision<'_>) -> String {
    let mut graph = DiGraph::new();
    let peer = graph.add_node(Node::asks("peer".into()));
    let mut ends = BTreeMap::new();
    for ((number, map), members) in decision.diagram.maps().iter().enumerate().zip(decision.members()) {
        let class = graph.add_node(Node::asks(format!("class {number}")));
        graph.add_edge(peer, class, members);
        let mut keys: BTreeMap<Verdict, Vec<_>> = BTreeMap::new();
        for (low, high, verdict) in map.ranges() {
            keys.entry(verdict).or_default().push((low, high));
        }
        for (verdict, ranges) in keys {
            let end = *ends.entry(verdict).or_insert_with(|| graph.add_node(Node::ends(verdict, &[])));
            graph.add_edge(class, end, L4Set::from_intervals(ranges).to_string());
        }
    }
    write(&format!("{}: diagram", decision.title), &graph)
}

/// How a node looks.
#[derive(Debug)]
struct Node {
    label: String,
    shape: &'static str,
    colour: &'static str,
}

impl Node {
    fn asks(label: String) -> Node {
        Node { label, shape: "box", colour: "gray30" }
    }

    fn ends(verdict: Verdict, lines: &[String]) -> Node {
        let colour = match (verdict, verdict.is_allowed()) {
            (Verdict::ALLOW, _) => "darkgreen",
            (_, true) => "darkorange",
            (_, false) => "firebrick",
        };
        let label = std::iter::once(verdict.to_string()).chain(lines.iter().cloned()).collect::<Vec<_>>().join("\n");
        Node { label, shape: "note", colour }
    }
}

fn write(title: &str, graph: &DiGraph<Node, String>) -> String {
    let bare = [Config::NodeNoLabel, Config::EdgeNoLabel, Config::GraphContentOnly];
    let arrow = |_, edge: petgraph::graph::EdgeReference<'_, String>| format!("label={}", quoted(edge.weight()));
    let node =
        |_, (_, node): (_, &Node)| format!("label={} shape={} color={}", quoted(&node.label), node.shape, node.colour);
    let content = Dot::with_attr_getters(graph, &bare, &arrow, &node);
    let title = quoted(title);
    format!(
        "digraph {title} {{\n    label={title} fontname=monospace\n    node [fontname=monospace]\n    edge [fontname=monospace]\n{content:?}}}\n"
    )
}

/// A string of the DOT language; lines are left-justified. Source: "The DOT Language", graphviz.org.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let many = text.contains('\n');
    for line in text.split('\n') {
        out += &plain(line).replace('\\', "\\\\").replace('"', "\\\"");
        out += if many { "\\l" } else { "" };
    }
    out + "\""
}
