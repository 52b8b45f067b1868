//! `ports` of a member of `toPorts`.

use facts::read::At;
use flow::Protocol;
use hir::{L4, PortItem, Ports};

use super::entries::Rule;
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};

/// TCP, UDP and SCTP: what `ANY` means.
const ANY: [Protocol; 3] = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];

/// Protocols without ports, which are not enforced yet.
const PORTLESS: &[&str] = &["VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH"];
/// The protocols of a dialect without those of tunnels.
const OLD_PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP", "VRRP", "IGMP", "ANY"];

/// A port item with what L7 validation asks about it.
pub(super) struct Written<'t> {
    pub at: At<'t>,
    pub only_tcp: bool,
    pub is_zero: bool,
    pub is_range: bool,
}

/// Reads the ports of one member; an empty or absent list matches nothing.
pub(super) fn port_items<'t>(rule: Rule, at: &At<'t>, ctx: &mut Context<'_>) -> (L4, Vec<Written<'t>>) {
    let (mut items, mut written) = (Vec::new(), Vec::new());
    let mut closed = false;
    for port in at.list("ports") {
        let protocols = match port.text_of("protocol").unwrap_or_default() {
            "" | "ANY" => ANY.to_vec(),
            known if PORTLESS.contains(&known) => {
                if !ctx.dialect.tunnel_protocols && !["VRRP", "IGMP"].contains(&known) {
                    let kind = ProblemKind::NotOneOf { found: known.to_owned(), allowed: OLD_PROTOCOLS };
                    ctx.reject(&port, Stage::Schema, kind);
                }
                if port.text_of("port").is_some_and(|text| !["", "0"].contains(&text)) {
                    ctx.reject(&port, Stage::Sanitize, ProblemKind::PortOfPortlessProtocol);
                }
                closed = true;
                ctx.not_yet(&port);
                continue;
            }
            other => Protocol::parse(other).into_iter().collect(),
        };
        // Why: a port of another type has been refused by the schema.
        if port.get("port").is_some_and(|it| it.text().is_none()) {
            continue;
        }
        let text = port.text_of("port").unwrap_or_default();
        let end = port.get("endPort").and_then(|it| it.whole()).and_then(|it| u16::try_from(it).ok()).unwrap_or(0);
        let only_tcp = protocols == [Protocol::TCP];
        let ports = read(&port, text, end, protocols, ctx);
        let is_range = matches!(&ports, Some(Ports::Range { low, high, .. }) if low != high && *low > 0);
        written.push(Written { at: port.clone(), only_tcp, is_zero: text == "0", is_range });
        items.extend(ports.map(|ports| PortItem { ports, path: port.path() }));
    }
    items.shrink_to_fit();
    match closed && rule.denies {
        true => (L4::Unrestricted, written),
        false => (L4::Items(items), written),
    }
}

fn read(at: &At<'_>, text: &str, end: u16, protocols: Vec<Protocol>, ctx: &mut Context<'_>) -> Option<Ports> {
    let numeric = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !numeric {
        let name = text.to_ascii_lowercase();
        if !crate::network_policy::is_port_name(&name) {
            ctx.reject(at, Stage::Sanitize, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::PortText });
            return None;
        }
        return Some(Ports::Name { protocols, name });
    }
    // Why: one parser reads a leading zero as octal and another as decimal, so nobody can know what is meant.
    let number = text.parse::<u16>().ok().filter(|_| text.len() == 1 || !text.starts_with('0'));
    let Some(low) = number else {
        ctx.reject(at, Stage::Sanitize, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::PortText });
        return None;
    };
    let high = match (low, end) {
        (0, 0) => u16::MAX,
        _ => end.max(low),
    };
    Some(Ports::Range { protocols, low, high })
}
