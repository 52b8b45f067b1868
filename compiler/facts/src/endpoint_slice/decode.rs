use super::{Endpoint, EndpointPort, EndpointSlice};
use crate::Fact;
use crate::decode::{Problem, name, port, protocol};
use crate::read::At;

/// Reads an EndpointSlice.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let endpoints = at.list("endpoints").map(|it| Endpoint {
        addresses: it.parsed("addresses").collect(),
        ready: it.dig(&["conditions", "ready"]).and_then(|it| it.flag()).unwrap_or(true),
        node: it.text_of("nodeName").map(str::to_owned),
    });
    let endpoints = endpoints.collect();
    let mut ports = Vec::new();
    for it in at.list("ports") {
        if let Some(protocol) = protocol(&it, problems) {
            let port = it.get("port").and_then(|it| port(&it, problems));
            ports.push(EndpointPort { name: it.text_or_empty("name"), protocol, port });
        }
    }
    Some(Fact::EndpointSlice(EndpointSlice { name, labels, endpoints, ports }))
}
