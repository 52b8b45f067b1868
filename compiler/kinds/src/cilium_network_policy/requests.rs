//! The rules that a proxy applies to requests, and what TLS it speaks: from text to typed data.
//!
//! Every member of a list becomes one rule, so that rule `n` stands at `[n]`. What a member gets wrong is said by others.

use facts::read::At;
use hir::{ObjectRef, Parser, TlsContext};
use request::{
    DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Mismatch, Pattern, Requests, Rules, Wanted,
};

/// What a member of `toPorts` asks of requests; `list` holds the rules of its family.
pub(super) fn requests(
    at: &At<'_>,
    parser: &Parser,
    list: Option<&At<'_>>,
    terminates: bool,
    object: &ObjectRef,
) -> Requests {
    let mut server_names: Vec<String> = at.list("serverNames").filter_map(|it| it.text().map(str::to_owned)).collect();
    server_names.sort();
    server_names.dedup();
    let members = || list.into_iter().flat_map(|list| list.items());
    let rules = match parser {
        Parser::Http => Rules::Http(members().map(|rule| http(&rule, object)).collect()),
        Parser::Kafka => Rules::Kafka(members().map(|rule| kafka(&rule)).collect()),
        Parser::Dns => Rules::Dns(members().map(|rule| dns(&rule)).collect()),
        Parser::Generic(parser) => Rules::Generic {
            parser: parser.clone(),
            rules: members()
                .map(|rule| {
                    let entries = rule.entries().into_iter();
                    entries.filter_map(|(key, value)| Some((key.into_owned(), value.text()?.to_owned()))).collect()
                })
                .collect(),
        },
        Parser::Tls | Parser::Listener(_) => Rules::Any,
    };
    let own = matches!(parser, Parser::Listener(_));
    Requests { server_names, own, terminates, observes: false, rules }
}

/// Text that is there and says something.
fn text(at: &At<'_>, name: &str) -> Option<String> {
    at.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn http(at: &At<'_>, object: &ObjectRef) -> HttpRule {
    let pattern = |name| text(at, name).map(|text| Pattern::new(&text));
    let plain = at.list("headers").filter_map(|it| it.text().map(HeaderRule::of_text));
    let matches = at.list("headerMatches").map(|it| header(&it, object));
    HttpRule {
        method: pattern("method"),
        path: pattern("path"),
        host: pattern("host"),
        headers: plain.chain(matches).collect(),
    }
}

fn header(at: &At<'_>, object: &ObjectRef) -> HeaderRule {
    let mismatch = match at.text_of("mismatch").unwrap_or_default() {
        "LOG" => Mismatch::Log,
        "ADD" => Mismatch::Add,
        "DELETE" => Mismatch::Delete,
        "REPLACE" => Mismatch::Replace,
        _ => Mismatch::Fail,
    };
    let value = text(at, "value");
    let wanted = match (at.get("secret"), value) {
        (Some(kept), otherwise) => Wanted::Secret { name: secret(&kept, object), otherwise },
        (None, Some(value)) => Wanted::Value(value),
        (None, None) => Wanted::Present,
    };
    HeaderRule { name: at.text_or_empty("name").to_ascii_lowercase(), wanted, mismatch }
}

/// A Secret as `namespace/name`; without a namespace it is that of the policy.
fn secret(at: &At<'_>, object: &ObjectRef) -> String {
    let namespace = text(at, "namespace").unwrap_or_else(|| object.namespace.clone());
    format!("{namespace}/{}", at.text_or_empty("name"))
}

fn kafka(at: &At<'_>) -> KafkaRule {
    KafkaRule {
        role: at.text_of("role").and_then(KafkaRole::named),
        api: at.text_of("apiKey").and_then(KafkaApi::named),
        version: at.text_of("apiVersion").and_then(|text| text.parse().ok()),
        client: text(at, "clientID"),
        topic: text(at, "topic"),
    }
}

fn dns(at: &At<'_>) -> DnsRule {
    DnsRule { name: text(at, "matchName"), pattern: text(at, "matchPattern") }
}

/// One side of TLS.
pub(super) fn tls(at: &At<'_>, object: &ObjectRef) -> TlsContext {
    TlsContext {
        secret: at.get("secret").map(|kept| secret(&kept, object)).unwrap_or_default(),
        trusted_ca: text(at, "trustedCA"),
        certificate: text(at, "certificate"),
        private_key: text(at, "privateKey"),
    }
}
