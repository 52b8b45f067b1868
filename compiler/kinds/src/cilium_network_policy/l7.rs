//! What a proxy applies at a port: read, checked and carried as data.

use facts::read::At;
use flow::Direction;
use hir::{L7, Parser};
use syntax::Value;

use super::entries::Rule;
use super::ports::Written;
use crate::context::Context;
use crate::problem::{ProblemKind, Stage};

/// Reads everything of a member of `toPorts` that makes it a redirect; `None` when it is none.
pub(super) fn l7(rule: Rule, at: &At<'_>, ports: &[Written<'_>], ctx: &mut Context<'_>) -> Option<L7> {
    let rules = at.get("rules");
    let mut families: Vec<(&'static str, At<'_>)> = Vec::new();
    for name in ["http", "kafka", "dns"] {
        let list = rules.as_ref().and_then(|rules| rules.get(name));
        families.extend(list.filter(|list| list.items().next().is_some()).map(|list| (name, list)));
    }
    let generic = rules.as_ref().and_then(|rules| rules.get("l7proto"));
    families.extend(generic.clone().map(|it| ("l7proto", it)));
    if let (Some(rules), true) = (&rules, families.len() > 1) {
        ctx.reject(rules, Stage::Sanitize, ProblemKind::SeveralL7);
    }
    if let (Some(list), None) = (rules.as_ref().and_then(|rules| rules.get("l7")), &generic) {
        ctx.reject(&list, Stage::Sanitize, ProblemKind::L7WithoutProtocol);
    }
    let mut server_names: Vec<String> = at.list("serverNames").filter_map(|it| it.text().map(str::to_owned)).collect();
    server_names.sort();
    let tls = [at.get("terminatingTLS"), at.get("originatingTLS")];
    for context in tls.iter().flatten() {
        ctx.not_yet(context);
    }
    if !server_names.is_empty() && !families.is_empty() && tls[0].is_none() {
        ctx.reject(at, Stage::Sanitize, ProblemKind::ServerNamesNeedTls);
    }
    let listener = listener(rule, at, !families.is_empty(), ctx);
    for (name, list) in &families {
        check(rule, name, list, ports, ctx);
    }
    let parser = match families.first() {
        Some(("http", _)) => Parser::Http,
        Some(("kafka", _)) => Parser::Kafka,
        Some(("dns", _)) => Parser::Dns,
        Some((_, name)) => {
            ctx.not_yet(name);
            Parser::Generic(name.text().unwrap_or_default().to_owned())
        }
        None if !server_names.is_empty() || tls.iter().any(Option::is_some) => Parser::Tls,
        None => return listener,
    };
    let list = match &parser {
        Parser::Generic(_) => rules.as_ref().and_then(|rules| rules.get("l7")),
        _ => families.first().map(|(_, list)| list.clone()),
    };
    let mut rules: Vec<String> = list.into_iter().flat_map(|list| list.items()).map(|it| json(&it)).collect();
    rules.sort();
    rules.dedup();
    Some(L7 { priority: parser.default_priority(), parser, rules, server_names })
}

fn check(rule: Rule, family: &str, list: &At<'_>, ports: &[Written<'_>], ctx: &mut Context<'_>) {
    let dns = family == "dns";
    if dns && rule.direction == Direction::Ingress && !rule.on_nodes {
        ctx.reject(list, Stage::Sanitize, ProblemKind::DnsOnIngress);
    }
    if rule.on_nodes && (rule.direction == Direction::Ingress || !dns) {
        ctx.reject(list, Stage::Sanitize, ProblemKind::L7OnHost);
    }
    if dns && ports.is_empty() {
        ctx.reject(list, Stage::Sanitize, ProblemKind::DnsNeedsPort);
    }
    for port in ports {
        if !dns && !port.only_tcp {
            ctx.reject(&port.at, Stage::Sanitize, ProblemKind::L7NeedsTcp);
        }
        if port.is_zero {
            ctx.reject(&port.at, Stage::Sanitize, ProblemKind::L7OnPortZero);
        }
        if dns && port.is_range {
            ctx.reject(&port.at, Stage::Sanitize, ProblemKind::DnsNeedsPort);
        }
    }
}

fn listener(rule: Rule, at: &At<'_>, beside_rules: bool, ctx: &mut Context<'_>) -> Option<L7> {
    let listener = at.get("listener")?;
    if rule.direction == Direction::Ingress {
        ctx.reject(&listener, Stage::Sanitize, ProblemKind::ListenerOnIngress);
    }
    if beside_rules {
        ctx.reject(&listener, Stage::Sanitize, ProblemKind::ListenerBesideL7);
    }
    ctx.not_yet(&listener);
    let config = listener.get("envoyConfig")?;
    let (kind, owner) = (config.text_of("kind").unwrap_or_default(), config.text_or_empty("name"));
    let name = listener.text_or_empty("name");
    let qualified = match kind {
        "CiliumClusterwideEnvoyConfig" => format!("{owner}/{name}"),
        _ => format!("{}/{owner}/{name}", ctx.object.namespace),
    };
    let parser = Parser::Listener(qualified);
    let priority = listener.get("priority").and_then(|it| it.whole()).and_then(|it| u8::try_from(it).ok());
    let priority = priority.filter(|it| (1..=100).contains(it)).unwrap_or(parser.default_priority());
    Some(L7 { parser, rules: Vec::new(), server_names: Vec::new(), priority })
}

/// A value as JSON text with sorted keys, without spaces. Null members of mappings are left out.
pub(super) fn json(at: &At<'_>) -> String {
    match at.value() {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::UInt(it) => it.to_string(),
        Value::Float(it) => it.to_string(),
        Value::Str(it) => quoted(it),
        Value::Sequence(_) => {
            let items: Vec<String> = at.items().map(|it| json(&it)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Mapping(_) => {
            let mut entries = at.entries();
            entries.retain(|(_, it)| !matches!(it.value(), Value::Null));
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries: Vec<String> =
                entries.iter().map(|(key, it)| format!("{}:{}", quoted(key), json(it))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
