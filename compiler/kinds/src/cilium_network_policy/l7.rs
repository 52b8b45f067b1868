//! What a proxy applies at a port: which proxy, and what it must not stand beside.

use facts::read::At;
use flow::Direction;
use hir::{L7, Parser};

use super::entries::Rule;
use super::ports::Written;
use super::requests;
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
    let tls = [at.get("terminatingTLS"), at.get("originatingTLS")];
    let server_names = at.list("serverNames").next().is_some();
    if server_names && !families.is_empty() && tls[0].is_none() {
        ctx.reject(at, Stage::Sanitize, ProblemKind::ServerNamesNeedTls);
    }
    let listener = listener(rule, at, !families.is_empty(), ctx);
    let priority = listener.as_ref().and_then(|(_, priority)| *priority).filter(|_| families.is_empty());
    for (name, list) in &families {
        check(rule, name, list, ports, ctx);
    }
    let (parser, list) = match families.first() {
        Some(("http", list)) => (Parser::Http, Some(list.clone())),
        Some(("kafka", list)) => (Parser::Kafka, Some(list.clone())),
        Some(("dns", list)) => (Parser::Dns, Some(list.clone())),
        Some((_, name)) => {
            let list = rules.as_ref().and_then(|rules| rules.get("l7"));
            (Parser::Generic(name.text().unwrap_or_default().to_owned()), list)
        }
        None => match listener {
            Some((parser, _)) => (parser, None),
            None if server_names || tls.iter().any(Option::is_some) => (Parser::Tls, None),
            None => return None,
        },
    };
    let path = match (&list, &parser) {
        (Some(list), _) => list.path(),
        (None, Parser::Tls) if server_names => format!("{}.serverNames", at.path()),
        (None, _) => at.path(),
    };
    let [terminating, originating] = tls.map(|context| context.map(|context| requests::tls(&context, &ctx.object)));
    let priority = priority.unwrap_or(parser.default_priority());
    let requests = requests::requests(at, &parser, list.as_ref(), terminating.is_some(), &ctx.object);
    Some(L7 { requests, parser, path, terminating, originating, priority })
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

/// A listener of the user's own, and its precedence where one is written.
fn listener(rule: Rule, at: &At<'_>, beside_rules: bool, ctx: &mut Context<'_>) -> Option<(Parser, Option<u8>)> {
    let listener = at.get("listener")?;
    if rule.direction == Direction::Ingress {
        ctx.reject(&listener, Stage::Sanitize, ProblemKind::ListenerOnIngress);
    }
    if beside_rules {
        ctx.reject(&listener, Stage::Sanitize, ProblemKind::ListenerBesideL7);
    }
    let config = listener.get("envoyConfig")?;
    let (kind, owner) = (config.text_of("kind").unwrap_or_default(), config.text_or_empty("name"));
    let name = listener.text_or_empty("name");
    let qualified = match kind {
        "CiliumClusterwideEnvoyConfig" => format!("{owner}/{name}"),
        _ => format!("{}/{owner}/{name}", ctx.object.namespace),
    };
    let priority = listener.get("priority").and_then(|it| it.whole()).and_then(|it| u8::try_from(it).ok());
    Some((Parser::Listener(qualified), priority.filter(|it| (1..=100).contains(it))))
}
