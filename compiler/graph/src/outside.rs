//! Regions outside the cluster that nothing shown tells apart become one vertex.

use crate::model::{Edge, Graph, Kind};
use flow::L4Set;
use std::collections::BTreeMap;

/// What an edge says, apart from the vertex that is compared.
type Says<'e> = (bool, usize, &'e L4Set, &'e L4Set, &'e L4Set, &'e L4Set, bool);

/// The graph with equal outside vertices, and equal nodes, joined.
pub(crate) fn merged(mut graph: Graph) -> Graph {
    let mut keep = vec![true; graph.vertices.len()];
    {
        let mut edges: Vec<Vec<Says<'_>>> = vec![Vec::new(); graph.vertices.len()];
        for edge in &graph.edges {
            edges[edge.from].push(says(edge, true, edge.to));
            edges[edge.to].push(says(edge, false, edge.from));
        }
        let mut first: BTreeMap<(Kind, &[Says<'_>]), usize> = BTreeMap::new();
        let mut joined: Vec<(usize, usize)> = Vec::new();
        for (at, vertex) in graph.vertices.iter().enumerate() {
            let joins = vertex.kind == Kind::Outside || vertex.kind == Kind::Nodes;
            // What has no edge is shown nowhere, and nodes or health endpoints are not the world.
            if !joins || edges[at].is_empty() || ["health", "ingress"].contains(&vertex.name.as_str()) {
                continue;
            }
            match first.get(&(vertex.kind, edges[at].as_slice())) {
                Some(into) => joined.push((at, *into)),
                None => drop(first.insert((vertex.kind, edges[at].as_slice()), at)),
            }
        }
        for (at, into) in joined {
            keep[at] = false;
            let members = std::mem::take(&mut graph.vertices[at].members);
            graph.vertices[into].members.extend(members);
        }
    }
    for vertex in &mut graph.vertices {
        let others = vertex.members.len().saturating_sub(1);
        if vertex.kind == Kind::Outside && others > 0 && vertex.name != "world" && vertex.name == vertex.members[0] {
            vertex.name = format!("{} and {others} more", vertex.name);
        } else if vertex.kind == Kind::Nodes && others > 0 {
            vertex.name = format!("{} and {others} more", vertex.members[0]);
        }
    }
    graph.retain(&keep);
    graph
}

fn says(edge: &Edge, source: bool, other: usize) -> Says<'_> {
    (source, other, &edge.ports, &edge.redirect, &edge.auth, &edge.unknown, edge.partial)
}
