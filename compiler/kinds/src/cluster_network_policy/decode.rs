use facts::read::At;
use flow::Protocol;
use hir::{Ports, Section, Tier};

use crate::context::Context;
use crate::tiers::{self, Reading, named, range};

/// Reads `spec`.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    let of_spec = |name: &str| root.get("spec").and_then(|spec| spec.get(name));
    let tier = match of_spec("tier").and_then(|it| it.text()) {
        Some("Baseline") => Tier::Baseline,
        _ => Tier::Admin,
    };
    let priority = of_spec("priority").and_then(|it| it.whole()).and_then(|it| u32::try_from(it).ok());
    let reading = Reading { tier, priority: priority.unwrap_or(0).min(1000), items: "protocols", item: protocol };
    tiers::decode(root, reading, ctx)
}

/// One member of `protocols`; `None` when no field of it says which ports.
fn protocol(at: &At<'_>, _: &mut Context<'_>) -> Option<Ports> {
    if let Some(name) = at.text_of("destinationNamedPort") {
        return Some(named(name));
    }
    let transports = [("tcp", Protocol::TCP), ("udp", Protocol::UDP), ("sctp", Protocol::SCTP)];
    let (at, protocol) = transports.into_iter().find_map(|(name, protocol)| Some((at.get(name)?, protocol)))?;
    let port = at.get("destinationPort")?;
    if let Some(number) = port.get("number").and_then(|it| it.whole()) {
        return range(protocol, number, number);
    }
    let ends = port.get("range")?;
    let end = |name: &str| ends.get(name).and_then(|it| it.whole());
    range(protocol, end("start")?, end("end")?)
}
