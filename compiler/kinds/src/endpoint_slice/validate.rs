//! What the API server checks of an EndpointSlice beyond its types. Source: `pkg/apis/discovery/validation` of Kubernetes.

use std::collections::BTreeSet;

use facts::read::At;

use crate::address;
use crate::context::Context;
use crate::metadata::is_dns_label;
use crate::problem::{Form, ProblemKind, Stage};
use crate::selector::{is_dns_subdomain, is_label_key, is_label_value};

const API: Stage = Stage::KubernetesApi;
const TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
/// How many endpoints, ports and addresses of one endpoint there may be.
const ENDPOINTS: usize = 1000;
const PORTS: usize = 20_000;
const ADDRESSES: usize = 100;
/// How many labels of a place, zones and nodes an endpoint may name.
const TOPOLOGY: usize = 16;
const HINTS: usize = 8;

/// Checks the whole object.
pub(crate) fn validate(root: &At<'_>, ctx: &mut Context<'_>) {
    let kind = root.text_or_empty("addressType");
    match root.get("addressType") {
        Some(at) if !kind.is_empty() => {
            if !TYPES.contains(&kind.as_str()) {
                ctx.reject(&at, API, ProblemKind::NotOneOf { found: kind.clone(), allowed: TYPES });
            }
        }
        _ => ctx.reject(root, API, ProblemKind::Missing { name: "addressType" }),
    }
    if fits(root.get("endpoints"), ENDPOINTS, ctx) {
        root.list("endpoints").for_each(|at| endpoint(&at, &kind, ctx));
    }
    if fits(root.get("ports"), PORTS, ctx) {
        ports(root, ctx);
    }
}

/// Whether a list is no longer than it may be.
fn fits(list: Option<At<'_>>, limit: usize, ctx: &mut Context<'_>) -> bool {
    let Some(list) = list else { return true };
    let found = list.items().count();
    if found > limit {
        ctx.reject(&list, API, ProblemKind::TooMany { found, limit });
    }
    found <= limit
}

fn endpoint(at: &At<'_>, kind: &str, ctx: &mut Context<'_>) {
    let addresses = at.get("addresses");
    if addresses.as_ref().is_none_or(|it| it.items().next().is_none()) {
        ctx.reject(at, API, ProblemKind::Missing { name: "addresses" });
    }
    fits(addresses, ADDRESSES, ctx);
    at.list("addresses").for_each(|at| one_address(&at, kind, ctx));
    if let Some(topology) = at.get("deprecatedTopology") {
        let entries = topology.entries();
        if entries.len() > TOPOLOGY {
            ctx.reject(&topology, API, ProblemKind::TooManyFields { found: entries.len(), limit: TOPOLOGY });
        }
        for (key, value) in entries.iter().filter(|(key, it)| !is_label_key(key) || !is_value(it)) {
            let wanted = if is_label_key(key) { Form::LabelValue } else { Form::LabelKey };
            let found = if is_label_key(key) { value.text().unwrap_or_default() } else { key };
            ctx.refuse(value, &topology.path(), ProblemKind::BadForm { found: found.to_owned(), wanted });
        }
    }
    text(at, "hostname", Form::DnsLabel, is_dns_label, ctx);
    text(at, "nodeName", Form::DnsName, is_dns_subdomain, ctx);
    let Some(hints) = at.get("hints") else { return };
    named(&hints, "forZones", Form::LabelValue, is_label_value, ctx);
    named(&hints, "forNodes", Form::DnsName, is_dns_subdomain, ctx);
}

fn is_value(at: &At<'_>) -> bool {
    is_label_value(at.text().unwrap_or_default())
}

fn one_address(at: &At<'_>, kind: &str, ctx: &mut Context<'_>) {
    let text = at.text().unwrap_or_default();
    let bad = |wanted: Form| ProblemKind::BadForm { found: text.to_owned(), wanted };
    match kind {
        "IPv4" | "IPv6" => {
            let Some(address) = address::address(at, &at.path(), ctx) else { return };
            // Why: an IPv4 address in IPv6 form counts as IPv4 there.
            if address.to_canonical().is_ipv4() != (kind == "IPv4") {
                ctx.reject(at, API, bad(Form::Address));
            } else if address::is_special(address.to_canonical()) {
                ctx.reject(at, API, bad(Form::PublicAddress));
            }
        }
        "FQDN" if !is_full_name(text) => ctx.reject(at, API, bad(Form::FullDnsName)),
        _ => {}
    }
}

fn is_full_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    is_dns_subdomain(name) && name.contains('.') && name.split('.').all(is_dns_label)
}

fn text(at: &At<'_>, name: &str, wanted: Form, is_right: fn(&str) -> bool, ctx: &mut Context<'_>) {
    let Some(field) = at.get(name) else { return };
    let found = field.text().unwrap_or_default();
    if !is_right(found) {
        ctx.reject(&field, API, ProblemKind::BadForm { found: found.to_owned(), wanted });
    }
}

fn named(hints: &At<'_>, list: &str, wanted: Form, is_right: fn(&str) -> bool, ctx: &mut Context<'_>) {
    if !fits(hints.get(list), HINTS, ctx) {
        return;
    }
    let mut seen = BTreeSet::new();
    for item in hints.list(list) {
        let found = item.text_or_empty("name");
        let at = item.get("name").unwrap_or_else(|| item.clone());
        let field = format!("{}.name", item.path());
        if !seen.insert(found.clone()) {
            ctx.refuse(&at, &field, ProblemKind::Duplicate);
        }
        if !is_right(&found) {
            ctx.refuse(&at, &field, ProblemKind::BadForm { found, wanted });
        }
    }
}

fn ports(root: &At<'_>, ctx: &mut Context<'_>) {
    let mut seen = BTreeSet::new();
    for port in root.list("ports") {
        let name = port.text_or_empty("name");
        let at = port.get("name").unwrap_or_else(|| port.clone());
        let field = format!("{}.name", port.path());
        if !name.is_empty() && !is_dns_label(&name) {
            ctx.refuse(&at, &field, ProblemKind::BadForm { found: name.clone(), wanted: Form::DnsLabel });
        }
        if !seen.insert(name) {
            ctx.refuse(&at, &field, ProblemKind::Duplicate);
        }
        if let Some(protocol) = port.get("protocol") {
            let found = protocol.text().unwrap_or_default();
            if !PROTOCOLS.contains(&found) {
                ctx.reject(&protocol, API, ProblemKind::NotOneOf { found: found.to_owned(), allowed: PROTOCOLS });
            }
        }
        text(&port, "appProtocol", Form::LabelKey, is_label_key, ctx);
    }
}
