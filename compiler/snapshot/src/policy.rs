//! Policies under the names of a redacted cluster.

use crate::redact::{Pattern, Redaction};
use serde_json::{Map, Value, json};

/// Fields whose texts are words of the language or addresses, never names of somebody's: they stay as they are.
const STRUCTURE: [&str; 33] = [
    "action",
    "apiKey",
    "apiVersion",
    "cidr",
    "clientID",
    "except",
    "family",
    "fromCIDR",
    "fromEntities",
    "headers",
    "headerMatches",
    "host",
    "icmps",
    "key",
    "kind",
    "l7",
    "l7proto",
    "method",
    "mismatch",
    "mode",
    "networks",
    "operator",
    "path",
    "policyTypes",
    "protocol",
    "protocols",
    "role",
    "source",
    "tier",
    "toCIDR",
    "toEntities",
    "topic",
    "type",
];

/// Fields that hold DNS names or patterns of them.
const DNS: [&str; 4] = ["matchName", "matchPattern", "serverNames", "domainNames"];

/// Fields that say nothing of what a policy does.
const DROPPED: [&str; 2] = ["description", "status"];

/// A policy as it is written into a snapshot: without what only describes it.
///
/// Shape: kind, version, name, labels, the annotations of tidegate's own, and all but `status` beside them.
pub fn bare(object: &Value) -> Value {
    let Value::Object(fields) = object else { return object.clone() };
    let mut fields = fields.clone();
    fields.remove("status");
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|name, _| ["name", "namespace", "labels", "annotations"].contains(&name.as_str()));
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.retain(|name, _| name.starts_with("tidegate.io/"));
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|it| !it.is_empty()));
    }
    Value::Object(fields)
}

impl Redaction {
    /// The same policy under other names. Paths, methods, headers and topics of requests stay as they are: they are patterns of letters.
    ///
    /// A text in a field that is not known is replaced, so that nothing gets out by a field of tomorrow.
    /// Errors: every pattern of names that no hash can stand for.
    pub fn policy(&self, object: &Value) -> Result<Value, Vec<Pattern>> {
        let mut patterns = Vec::new();
        let mut object = bare(object);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("annotations");
        }
        let redacted = self.value("", &object, &mut patterns);
        patterns.sort();
        patterns.dedup();
        if patterns.is_empty() { Ok(redacted) } else { Err(patterns) }
    }

    fn value(&self, field: &str, value: &Value, patterns: &mut Vec<Pattern>) -> Value {
        match value {
            Value::String(text) => json!(self.text(field, text, patterns)),
            Value::Array(items) => items.iter().map(|it| self.value(field, it, patterns)).collect(),
            Value::Object(fields) if field == "icmps" || !STRUCTURE.contains(&field) => {
                let kept = fields.iter().filter(|(name, _)| !DROPPED.contains(&name.as_str()));
                let each = kept.map(|(name, it)| (name.clone(), self.field(field, name, it, patterns)));
                Value::Object(each.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    /// A field of an object; the keys of a mapping of labels are no fields.
    fn field(&self, of: &str, name: &str, value: &Value, patterns: &mut Vec<Pattern>) -> Value {
        let inside = if is_labels(of) { "value" } else { name };
        match value {
            // A name of a port is compared without regard to case; a number in quotes stays a number.
            Value::String(text) if name == "port" && !is_labels(of) => match text.parse::<u32>() {
                Ok(_) => value.clone(),
                Err(_) => json!(self.word(&text.to_ascii_lowercase())),
            },
            Value::String(text) if ["namedPort", "destinationNamedPort"].contains(&name) && !is_labels(of) => {
                json!(self.word(&text.to_ascii_lowercase()))
            }
            _ => self.value(inside, value, patterns),
        }
    }

    fn text(&self, field: &str, text: &str, patterns: &mut Vec<Pattern>) -> String {
        if STRUCTURE.contains(&field) {
            return text.to_owned();
        }
        if DNS.contains(&field) {
            return self.pattern(text).unwrap_or_else(|pattern| {
                patterns.push(pattern);
                String::new()
            });
        }
        self.word(text)
    }
}

/// Whether a field is a mapping of labels, whose keys are anybody's.
fn is_labels(field: &str) -> bool {
    matches!(field, "matchLabels" | "labels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_the_language_stays() {
        let policy = json!({
            "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
            "metadata": {"name": "db", "namespace": "shop", "annotations": {"owner": "secret"}, "uid": "1"},
            "spec": {
                "description": "for the shop",
                "endpointSelector": {"matchLabels": {"app": "db", "cidr": "x", "port": "y"}},
                "egress": [{"toFQDNs": [{"matchPattern": "*.example.com"}], "toPorts": [{"ports": [
                    {"port": "443", "protocol": "TCP"}, {"port": "PG", "protocol": "ANY"}]}]},
                    {"toEntities": ["world"], "toCIDR": ["10.0.0.0/8"]}],
            },
        });
        let redaction = Redaction::new("s");
        let redacted = redaction.policy(&policy).unwrap().to_string();
        for gone in ["shop", "\"db\"", "secret", "example", "PG", "uid", "\"x\"", "\"y\""] {
            assert!(!redacted.contains(gone), "{gone} in {redacted}");
        }
        for kept in ["CiliumNetworkPolicy", "\"443\"", "ANY", "world", "10.0.0.0/8", &redaction.word("pg")] {
            assert!(redacted.contains(kept), "{kept} not in {redacted}");
        }
    }

    #[test]
    fn every_pattern_that_no_hash_can_stand_for_is_named() {
        let policy = json!({"spec": {"egress": [{"toFQDNs": [{"matchPattern": "a*.b"}, {"matchPattern": "c.*d"}]}]}});
        let refused = Redaction::new("s").policy(&policy).unwrap_err();
        assert_eq!(refused, [Pattern("a*.b".into()), Pattern("c.*d".into())]);
    }
}
