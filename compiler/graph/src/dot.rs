//! A graph for Graphviz: a box for each namespace, an arrow for each edge.

use crate::model::{Graph, Kind, Vertex};
use crate::words;
use std::collections::BTreeMap;

/// The graph in the language of `dot`.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph tidegate {\n  rankdir=LR\n  node [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n  edge [fontname=\"sans-serif\" fontsize=9]\n",
    );
    let mut namespaces: BTreeMap<&str, Vec<(usize, &Vertex)>> = BTreeMap::new();
    for (at, vertex) in graph.vertices.iter().enumerate() {
        let namespace = if vertex.kind == Kind::Namespace { "" } else { vertex.namespace.as_str() };
        namespaces.entry(namespace).or_default().push((at, vertex));
    }
    for (at, (namespace, vertices)) in namespaces.iter().enumerate() {
        let inside = !namespace.is_empty();
        if inside {
            out += &format!("  subgraph cluster_{at} {{\n    label={}\n    color=gray60\n", quoted(namespace));
        }
        for (number, vertex) in vertices {
            let short = vertex.name.strip_prefix(&format!("{namespace}/")).unwrap_or(&vertex.name);
            let shape = if matches!(vertex.kind, Kind::Outside) { " shape=ellipse" } else { "" };
            out += &format!("    v{number} [label={}{shape}]\n", quoted(short));
        }
        if inside {
            out += "  }\n";
        }
    }
    for edge in &graph.edges {
        let style = if edge.ports.is_empty() { " style=dashed color=gray50" } else { "" };
        out += &format!("  v{} -> v{} [label={}{style}]\n", edge.from, edge.to, quoted(&words::edge(edge)));
    }
    out + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
