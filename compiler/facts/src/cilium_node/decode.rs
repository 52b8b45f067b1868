use std::collections::BTreeSet;
use std::net::IpAddr;

use super::CiliumNode;
use crate::Fact;
use crate::decode::{Problem, address, cluster_name, prefix};
use crate::read::At;

/// Reads a CiliumNode.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = cluster_name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let mut node = CiliumNode { name, labels, ..CiliumNode::default() };
    if let Some(spec) = at.get("spec") {
        let written = spec.list("addresses").filter_map(|it| it.get("ip"));
        node.ips = written.filter_map(|it| address(&it, problems)).collect();
        node.health = both(&spec, "health", problems);
        node.ingress = both(&spec, "ingress", problems);
        let ranges = spec.get("ipam").into_iter().flat_map(|it| it.list("podCIDRs"));
        node.pod_cidrs = ranges.filter_map(|it| prefix(&it, problems)).collect();
    }
    Some(Fact::CiliumNode(node))
}

/// The addresses of both families in a field.
fn both(spec: &At<'_>, field: &str, problems: &mut Vec<Problem>) -> BTreeSet<IpAddr> {
    let Some(at) = spec.get(field) else { return BTreeSet::new() };
    let written = ["ipv4", "ipv6"].into_iter().filter_map(|family| at.get(family));
    written.filter_map(|it| address(&it, problems)).collect()
}
