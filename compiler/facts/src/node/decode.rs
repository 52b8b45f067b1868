use super::Node;
use crate::Fact;
use crate::decode::{Problem, address, cluster_name, prefix};
use crate::read::At;

/// Reads a Node.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = cluster_name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let mut node = Node { name, labels, ..Node::default() };
    for entry in at.get("status").into_iter().flat_map(|it| it.list("addresses")) {
        if let Some("InternalIP" | "ExternalIP") = entry.text_of("type") {
            node.ips.extend(entry.get("address").and_then(|it| address(&it, problems)));
        }
    }
    if let Some(spec) = at.get("spec") {
        let ranges = spec.get("podCIDR").into_iter().chain(spec.list("podCIDRs"));
        node.pod_cidrs = ranges.filter_map(|it| prefix(&it, problems)).collect();
    }
    Some(Fact::Node(node))
}
