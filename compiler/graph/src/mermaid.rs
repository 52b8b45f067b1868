//! A graph for Mermaid, which code forges draw in Markdown.

use crate::model::{Graph, Kind};
use crate::words;

/// The graph as a flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut open = String::new();
    for (at, vertex) in graph.vertices.iter().enumerate() {
        let namespace = if vertex.kind == Kind::Namespace { "" } else { vertex.namespace.as_str() };
        if namespace != open {
            out += if open.is_empty() { "" } else { "  end\n" };
            if !namespace.is_empty() {
                out += &format!("  subgraph n{at}[{}]\n", quoted(namespace));
            }
            namespace.clone_into(&mut open);
        }
        let short = vertex.name.strip_prefix(&format!("{namespace}/")).unwrap_or(&vertex.name);
        let shape = if vertex.kind == Kind::Outside { ("([", "])") } else { ("[", "]") };
        out += &format!("    v{at}{}{}{}\n", shape.0, quoted(short), shape.1);
    }
    out += if open.is_empty() { "" } else { "  end\n" };
    for edge in &graph.edges {
        let arrow = if edge.ports.is_empty() { "-.->" } else { "-->" };
        out += &format!("  v{} {arrow}|{}| v{}\n", edge.from, quoted(&words::edge(edge)), edge.to);
    }
    out
}

/// Quotes and what Mermaid takes for markup are written as entities.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' => out += &format!("#{};", u32::from(letter)),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
