//! A graph as a table of edges, for spreadsheets. Source: RFC 4180.

use crate::model::{End, Graph};
use crate::words;

/// One line an edge, after a line with the names of the columns.
pub fn csv(graph: &Graph) -> String {
    let mut out = String::from("from,to,ports,proxy,authenticated,unknown,partial,egress,ingress\r\n");
    for edge in &graph.edges {
        let name = |at: usize| graph.vertices[at].name.clone();
        let set = |set: &flow::L4Set| if set.is_empty() { String::new() } else { words::ports(set) };
        let fields = [
            name(edge.from),
            name(edge.to),
            set(&edge.ports),
            set(&edge.redirect),
            set(&edge.auth),
            set(&edge.unknown),
            edge.partial.to_string(),
            rules(&edge.egress),
            rules(&edge.ingress),
        ];
        out += &fields.map(|field| quoted(&field)).join(",");
        out += "\r\n";
    }
    out
}

fn rules(end: &End) -> String {
    let rules = end.rules.iter().map(|it| format!("{} {}", it.cause.origin.object, it.cause.origin.path));
    rules.collect::<Vec<_>>().join("; ")
}

/// Why a quote in front of some signs: spreadsheets take such fields for formulas.
fn quoted(field: &str) -> String {
    let acts = field.starts_with(['=', '+', '-', '@', '\t']);
    let field = if acts { format!("'{field}") } else { field.to_owned() };
    match field.contains([',', '"', '\n', '\r', ';']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}
