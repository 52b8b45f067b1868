//! What a table says of requests: the rules that apply to a peer and port, and whether they let everything pass.
//!
//! Tables hold rules, not verdicts of requests. So rules are compared as values, and then requests are made of them: each rule that names
//! a method and a path as they are must admit that request, and a request that no rule means must pass only where an allow is open.

use super::scenario::Expect;
use crate::engine::{Place, Question, World};
use driver::meaning::slot;
use hir::resolve::BoundRule;
use request::{DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Pattern, Request, Rules, Transport};
use serde_json::Value;
use std::collections::BTreeSet;

/// A method, path and name that no table's rule means by name.
const NOBODY: [&str; 3] = ["http NOBODY /nobody host nobody.invalid", "dns nobody.invalid", "tls nobody.invalid"];

/// The difference between the rules that match a question and what a table expects.
pub(super) fn difference<'r>(matching: impl Iterator<Item = &'r BoundRule>, expect: &Expect) -> Option<String> {
    let (mut proxies, mut rules, mut names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for l7 in matching.filter_map(|rule| rule.l7.as_ref()) {
        proxies.insert(l7.parser.to_string());
        rules.extend(each(&l7.requests.rules));
        names.extend(l7.requests.server_names.iter().cloned());
    }
    let proxies: Vec<String> = proxies.into_iter().collect();
    let ours = (Some(proxies.join("+")), rules, names);
    let wanted = (expect.proxy.clone(), expected(expect), expect.server_names.clone());
    (ours != wanted).then(|| format!("expected L7 {wanted:?}, the rules say {ours:?}"))
}

/// What the oracle gets wrong about requests made of a table's rules.
pub(super) fn asked(world: &World<'_>, place: &Place, question: &Question, expect: &Expect) -> Result<(), String> {
    let compiled = world.compiled(&place.class)?;
    let rules = &compiled.rules[slot(question.direction)];
    let peer = world.peer(place.node.as_deref(), question.peer);
    let passes = |text: &str| {
        let request = Request::parse(text).map_err(|error| error.to_string())?;
        Ok::<bool, String>(oracle::decide_request(rules, peer, question.key, &request).outcome.passes())
    };
    let rules_expected = expected(expect);
    for request in rules_expected.iter().filter_map(made_of) {
        if !passes(&request)? {
            return Err(format!("`{request}` must pass by a rule of its own, and does not"));
        }
    }
    let proxies = expect.proxy.as_deref().unwrap_or_default();
    let Some(nobody) = NOBODY.into_iter().find(|it| it.split(' ').next() == Some(proxies)) else { return Ok(()) };
    let observed = world.bound(&place.class).direction(question.direction).isolated_by.is_empty();
    let request = Request::parse(nobody).map_err(|error| error.to_string())?;
    let asks = |rules: &Rules| {
        let requests = request::Requests { rules: rules.clone(), ..request::Requests::default() };
        request::judge(&[Some(&requests)], &request).is_admitted()
    };
    let named = matches!(&request.transport, Transport::Tls(Some(name)) if
        expect.server_names.is_empty() || expect.server_names.iter().any(|pattern| request::name::matches(pattern, name)));
    let wanted = expect.plain || observed || named || rules_expected.iter().any(asks);
    match passes(nobody)? == wanted {
        true => Ok(()),
        false => Err(format!("`{nobody}` must {}pass, and does otherwise", if wanted { "" } else { "not " })),
    }
}

/// The rules of a set, each as a set of its own.
fn each(rules: &Rules) -> Vec<Rules> {
    match rules {
        Rules::Any => Vec::new(),
        Rules::Http(rules) => rules.iter().map(|it| Rules::Http(vec![it.clone()])).collect(),
        Rules::Kafka(rules) => rules.iter().map(|it| Rules::Kafka(vec![it.clone()])).collect(),
        Rules::Dns(rules) => rules.iter().map(|it| Rules::Dns(vec![it.clone()])).collect(),
        Rules::Generic { parser, rules } => {
            rules.iter().map(|it| Rules::Generic { parser: parser.clone(), rules: vec![it.clone()] }).collect()
        }
    }
}

/// The rules of a table, by the proxy that it names.
fn expected(expect: &Expect) -> BTreeSet<Rules> {
    let proxies = expect.proxy.as_deref().unwrap_or_default();
    let has = |name: &str| proxies.split('+').any(|proxy| proxy == name);
    let values = expect.rules.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    values
        .map(|rule| match () {
            () if has("dns") => {
                Rules::Dns(vec![DnsRule { name: text(&rule, "matchName"), pattern: text(&rule, "matchPattern") }])
            }
            () if has("kafka") => Rules::Kafka(vec![KafkaRule {
                role: text(&rule, "role").and_then(|it| KafkaRole::named(&it)),
                api: text(&rule, "apiKey").and_then(|it| KafkaApi::named(&it)),
                version: text(&rule, "apiVersion").and_then(|it| it.parse().ok()),
                client: text(&rule, "clientID"),
                topic: text(&rule, "topic"),
            }]),
            () => Rules::Http(vec![http(&rule)]),
        })
        .collect()
}

fn http(rule: &Value) -> HttpRule {
    let pattern = |name| text(rule, name).map(|text| Pattern::new(&text));
    let headers = rule["headers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    HttpRule {
        method: pattern("method"),
        path: pattern("path"),
        host: pattern("host"),
        headers: headers.map(HeaderRule::of_text).collect(),
    }
}

fn text(rule: &Value, name: &str) -> Option<String> {
    rule[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A request that a rule means by name; `None` where it speaks in patterns.
fn made_of(rules: &Rules) -> Option<String> {
    let literal = |pattern: &Option<Pattern>, otherwise: &str| {
        let text = pattern.as_ref().map_or(otherwise, Pattern::text).to_owned();
        text.chars().all(|c| c.is_ascii_alphanumeric() || "/-_".contains(c)).then_some(text)
    };
    match rules {
        Rules::Http(rules) => {
            let rule = rules.first().filter(|rule| rule.headers.is_empty() && rule.host.is_none())?;
            Some(format!("http {} {}", literal(&rule.method, "GET")?, literal(&rule.path, "/")?))
        }
        Rules::Dns(rules) => Some(format!("dns {}", rules.first()?.name.as_ref()?)),
        Rules::Any | Rules::Kafka(_) | Rules::Generic { .. } => None,
    }
}
