use facts::read::At;
use flow::Protocol;
use hir::{Ports, Section, Tier};

use crate::context::Context;
use crate::problem::{ProblemKind, Stage};
use crate::tiers::{self, Reading, named, range};

/// Reads `spec`.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    if tiers::is_ignored(root, ctx) {
        return Vec::new();
    }
    let priority = root.dig(&["spec", "priority"]).and_then(|it| it.whole()).and_then(|it| u32::try_from(it).ok());
    let priority = priority.unwrap_or(0).min(1000);
    tiers::decode(root, Reading { tier: Tier::Admin, priority, items: "ports", item: port }, ctx)
}

/// One member of `ports`; `None` when no field of it says which.
pub(crate) fn port(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Ports> {
    if let Some(name) = at.text_of("namedPort") {
        return Some(named(name));
    }
    if let Some(one) = at.get("portNumber") {
        let number = one.get("port")?.whole()?;
        return range(protocol(&one, ctx)?, number, number);
    }
    let ends = at.get("portRange")?;
    let end = |name: &str| ends.get(name).and_then(|it| it.whole());
    let (start, end) = (end("start")?, end("end")?);
    if end < start {
        ctx.close(&ends, Stage::Sanitize, ProblemKind::EndPortBelowPort);
        return None;
    }
    range(protocol(&ends, ctx)?, start, end)
}

/// TCP when unwritten; `None` for a protocol that is none of the three, which the API server lets pass.
fn protocol(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Protocol> {
    let Some(word) = at.get("protocol") else { return Some(Protocol::TCP) };
    match word.text().unwrap_or_default() {
        "TCP" => Some(Protocol::TCP),
        "UDP" => Some(Protocol::UDP),
        "SCTP" => Some(Protocol::SCTP),
        other => {
            let kind = ProblemKind::NotOneOf { found: other.to_owned(), allowed: &["TCP", "UDP", "SCTP"] };
            ctx.close(&word, Stage::Sanitize, kind);
            None
        }
    }
}
