//! What the API server checks of a NetworkPolicy beyond its types. Source: `pkg/apis/networking/validation` of Kubernetes.

use facts::read::At;
use flow::Prefix;
use syntax::Value;

use crate::address;
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use crate::selector::{OPERATORS, is_label_key, is_label_value};

const API: Stage = Stage::KubernetesApi;
const TYPES: &[&str] = &["Ingress", "Egress"];
/// The protocols that a port of a NetworkPolicy can have.
const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];

/// Checks `spec`.
pub(crate) fn validate(root: &At<'_>, ctx: &mut Context<'_>) {
    let Some(spec) = root.get("spec") else { return };
    if let Some(at) = spec.get("podSelector") {
        selector(&at, ctx);
    }
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.list(rules) {
            rule.list("ports").for_each(|at| port(&at, ctx));
            rule.list(peers).for_each(|at| peer(&at, ctx));
        }
    }
    let Some(types) = spec.get("policyTypes") else { return };
    let found = types.items().count();
    if found > TYPES.len() {
        return ctx.reject(&types, API, ProblemKind::TooMany { found, limit: TYPES.len() });
    }
    for at in types.items() {
        let word = at.text().unwrap_or_default();
        if !TYPES.contains(&word) {
            ctx.reject(&at, API, ProblemKind::NotOneOf { found: word.to_owned(), allowed: TYPES });
        }
    }
}

/// Checks a label selector. Source: `ValidateLabelSelector` of k8s.io/apimachinery.
pub(crate) fn selector(at: &At<'_>, ctx: &mut Context<'_>) {
    for (key, value) in at.get("matchLabels").map(|it| it.entries()).unwrap_or_default() {
        let field = || format!("{}.matchLabels", at.path());
        label_key(&value, &key, field, ctx);
        label_value(&value, value.text().unwrap_or_default(), field, ctx);
    }
    at.list("matchExpressions").for_each(|at| expression(&at, ctx));
}

fn expression(at: &At<'_>, ctx: &mut Context<'_>) {
    let field = |name: &str| format!("{}.{name}", at.path());
    let here = |name: &str| at.get(name).unwrap_or_else(|| at.clone());
    let values: Vec<At<'_>> = at.list("values").collect();
    let operator = at.text_or_empty("operator");
    match operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            ctx.refuse(at, &field("values"), ProblemKind::ValuesNeeded);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            ctx.refuse(at, &field("values"), ProblemKind::ValuesForbidden);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        "" => ctx.refuse(at, &field("operator"), ProblemKind::Missing { name: "operator" }),
        _ => {
            let kind = ProblemKind::NotOneOf { found: operator, allowed: OPERATORS };
            ctx.refuse(&here("operator"), &field("operator"), kind);
        }
    }
    match at.text_or_empty("key").as_str() {
        "" => ctx.refuse(at, &field("key"), ProblemKind::Missing { name: "key" }),
        key => label_key(&here("key"), key, || field("key"), ctx),
    }
    for value in &values {
        label_value(value, value.text().unwrap_or_default(), || value.path(), ctx);
    }
}

fn label_key(at: &At<'_>, key: &str, field: impl FnOnce() -> String, ctx: &mut Context<'_>) {
    if !is_label_key(key) {
        ctx.refuse(at, &field(), ProblemKind::BadForm { found: key.to_owned(), wanted: Form::LabelKey });
    }
}

fn label_value(at: &At<'_>, value: &str, field: impl FnOnce() -> String, ctx: &mut Context<'_>) {
    if !is_label_value(value) {
        ctx.refuse(at, &field(), ProblemKind::BadForm { found: value.to_owned(), wanted: Form::LabelValue });
    }
}

fn peer(at: &At<'_>, ctx: &mut Context<'_>) {
    let selectors = [at.get("podSelector"), at.get("namespaceSelector")];
    selectors.iter().flatten().for_each(|at| selector(at, ctx));
    let beside = selectors.iter().flatten().next().is_some();
    match at.get("ipBlock") {
        Some(block) => {
            ip_block(&block, ctx);
            if beside {
                ctx.reject(at, API, ProblemKind::BlockBesideSelector);
            }
        }
        None if !beside => ctx.reject(at, API, ProblemKind::EmptyPeer),
        None => {}
    }
}

fn ip_block(at: &At<'_>, ctx: &mut Context<'_>) {
    let Some(cidr) = at.get("cidr").filter(|it| it.text() != Some("")) else {
        return ctx.reject(at, API, ProblemKind::Missing { name: "cidr" });
    };
    let Some(block) = address::prefix(&cidr, &cidr.path(), ctx) else { return };
    for except in at.list("except") {
        let Some(inner) = address::prefix(&except, &except.path(), ctx) else { continue };
        let (Some(block), Some(inner)) = (Prefix::new(block.0, block.1), Prefix::new(inner.0, inner.1)) else {
            continue;
        };
        if !block.covers(inner) || inner == block {
            ctx.reject(&except, API, ProblemKind::ExceptOutside { except: inner, block });
        }
    }
}

fn port(at: &At<'_>, ctx: &mut Context<'_>) {
    if let Some(protocol) = at.get("protocol") {
        let found = protocol.text().unwrap_or_default();
        if !PROTOCOLS.contains(&found) {
            ctx.reject(&protocol, API, ProblemKind::NotOneOf { found: found.to_owned(), allowed: PROTOCOLS });
        }
    }
    let end = at.get("endPort");
    let Some(port) = at.get("port") else {
        if let Some(end) = end {
            ctx.reject(&end, API, ProblemKind::EndPortWithoutPort);
        }
        return;
    };
    match port.value() {
        Value::Str(name) => {
            if let Some(end) = end {
                ctx.reject(&end, API, ProblemKind::EndPortWithName);
            }
            if !is_port_name(name) {
                ctx.reject(&port, API, ProblemKind::BadForm { found: name.to_owned(), wanted: Form::PortName });
            }
        }
        Value::Int(low) => {
            number(&port, low, ctx);
            let Some((end, high)) = end.and_then(|end| Some((end.clone(), end.whole()?))) else { return };
            number(&end, high, ctx);
            if high < low {
                ctx.reject(&end, API, ProblemKind::EndPortBelowPort);
            }
        }
        _ => {}
    }
}

/// Checks a port number.
pub(crate) fn number(at: &At<'_>, found: i64, ctx: &mut Context<'_>) {
    if !(1..=65535).contains(&found) {
        ctx.reject(at, API, ProblemKind::OutOfRange { found, least: 1, greatest: 65535 });
    }
}

/// Whether a text is an IANA service name in lower case. Source: RFC 6335 section 5.1, as the API server applies it.
pub(crate) fn is_port_name(name: &str) -> bool {
    name.len() <= 15
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}
