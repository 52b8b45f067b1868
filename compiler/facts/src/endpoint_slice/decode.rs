use super::{Endpoint, EndpointPort, EndpointSlice, Takes};
use crate::Fact;
use crate::decode::{Problem, name, port, protocol};
use crate::read::At;

/// Reads an EndpointSlice.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let endpoints = at.list("endpoints").map(|it| Endpoint {
        addresses: it.parsed("addresses").collect(),
        takes: takes(&it),
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

fn takes(endpoint: &At<'_>) -> Takes {
    let condition = |name| endpoint.dig(&["conditions", name]).and_then(|it| it.flag());
    let (ready, serving) = (condition("ready").unwrap_or(true), condition("serving").unwrap_or(true));
    match (ready, serving && condition("terminating").unwrap_or(false)) {
        (true, _) => Takes::Always,
        (false, true) => Takes::Last,
        (false, false) => Takes::Never,
    }
}
