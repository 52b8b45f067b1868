//! What the agent checks of proxy rules beyond their schema. Source: `pkg/policy/api/l7.go`, `http.go`, `kafka` of Cilium.

use facts::read::At;
use request::{KafkaApi, Pattern};

use super::Scope;
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};

const AGENT: Stage = Stage::Sanitize;
/// How long the name of a Kafka topic may be, and of what it is made.
const TOPIC: usize = 249;
const TOPIC_PATTERN: &str = "^[a-zA-Z0-9._-]*$";
/// How many ports one member of `toPorts` may have.
const PORTS: usize = 40;

/// Checks one member of `toPorts`.
pub(super) fn member(at: &At<'_>, scope: Scope, ctx: &mut Context<'_>) {
    let found = at.list("ports").count();
    if let Some(ports) = at.get("ports").filter(|_| found > PORTS) {
        ctx.reject(&ports, AGENT, ProblemKind::TooMany { found, limit: PORTS });
    }
    for context in ["terminatingTLS", "originatingTLS"].iter().filter_map(|name| at.get(name)) {
        secret(&context, ctx);
    }
    if let Some(kind) = at.dig(&["listener", "envoyConfig", "kind"])
        && scope == Scope::Clusterwide
        && kind.text() == Some("CiliumEnvoyConfig")
    {
        let allowed: &'static [&'static str] = &["CiliumClusterwideEnvoyConfig"];
        ctx.reject(&kind, AGENT, ProblemKind::NotOneOf { found: "CiliumEnvoyConfig".to_owned(), allowed });
    }
    let Some(rules) = at.get("rules") else { return };
    rules.list("http").for_each(|rule| http(&rule, ctx));
    rules.list("kafka").for_each(|rule| kafka(&rule, ctx));
    for rule in rules.list("l7").filter(|rule| rule.get("").is_some()) {
        ctx.reject(&rule, AGENT, ProblemKind::TooShort { found: 0, limit: 1 });
    }
}

/// Checks that the secret of a place has a name.
fn secret(at: &At<'_>, ctx: &mut Context<'_>) {
    if let Some(name) = at.dig(&["secret", "name"]).filter(|name| name.text() == Some("")) {
        ctx.reject(&name, AGENT, ProblemKind::TooShort { found: 0, limit: 1 });
    }
}

fn http(at: &At<'_>, ctx: &mut Context<'_>) {
    // Why: the agent does not compile `host`.
    for field in ["path", "method"].iter().filter_map(|name| at.get(name)) {
        let text = field.text().unwrap_or_default();
        if let Some(bad) = Pattern::new(text).problem() {
            let kind = ProblemKind::BadExpression { found: text.to_owned(), why: bad.to_string() };
            ctx.reject(&field, AGENT, kind);
        }
    }
    at.list("headerMatches").for_each(|header| secret(&header, ctx));
}

fn kafka(at: &At<'_>, ctx: &mut Context<'_>) {
    let bad = |found: &str, pattern: &'static str| ProblemKind::BadForm {
        found: found.to_owned(),
        wanted: Form::Pattern(pattern),
    };
    let text = |name: &str| at.get(name).filter(|field| field.text().is_some_and(|text| !text.is_empty()));
    let (role, key) = (text("role"), text("apiKey"));
    if role.is_some() && key.is_some() {
        ctx.reject(at, AGENT, ProblemKind::NotExactlyOne { of: &["role", "apiKey"] });
    }
    if let Some(key) = key {
        let found = key.text().unwrap_or_default();
        if KafkaApi::named(found).is_none() {
            let kind = ProblemKind::NotOneOf { found: found.to_owned(), allowed: KafkaApi::names() };
            ctx.reject(&key, AGENT, kind);
        }
    }
    if let Some(version) = text("apiVersion") {
        let found = version.text().unwrap_or_default();
        if found.parse::<i16>().is_err() {
            ctx.reject(&version, AGENT, bad(found, "^[0-9]+$"));
        }
    }
    if let Some(topic) = text("topic") {
        let found = topic.text().unwrap_or_default();
        if found.len() > TOPIC {
            ctx.reject(&topic, AGENT, ProblemKind::TooLong { found: found.len(), limit: TOPIC });
        }
        if !found.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            ctx.reject(&topic, AGENT, bad(found, TOPIC_PATTERN));
        }
    }
}
