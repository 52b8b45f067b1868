//! Label selectors, as every kind writes them.

use facts::read::At;
use hir::{Operator, Requirement, Source};

use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use crate::schema::{Field, Shape, list};

/// The operators of `matchExpressions`.
pub const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];

/// The fields of a label selector.
pub const SELECTOR: &[Field] = &[
    Field::new("matchLabels", Shape::Map(&Shape::Text), "Labels that must all be there with these values."),
    Field::new("matchExpressions", list(&Shape::Object(EXPRESSION)), "Conditions that must all hold."),
];

/// As [`SELECTOR`], for a built-in kind whose operator the API server checks itself.
pub const BUILT_IN_SELECTOR: &[Field] = &[
    Field::new("matchLabels", Shape::Map(&Shape::Text), "Labels that must all be there with these values."),
    Field::new("matchExpressions", list(&Shape::Object(BUILT_IN_EXPRESSION)), "Conditions that must all hold."),
];

const EXPRESSION: &[Field] = &[
    Field::new("key", Shape::Text, "The label's key.").required(),
    Field::new("operator", Shape::Word(OPERATORS), "What must hold of its value.").required(),
    Field::new("values", list(&Shape::Text), "The values of `In` and `NotIn`."),
];

const BUILT_IN_EXPRESSION: &[Field] = &[
    Field::new("key", Shape::Text, "The label's key."),
    Field::new("operator", Shape::Text, "What must hold of its value."),
    Field::new("values", list(&Shape::Text), "The values of `In` and `NotIn`."),
];

/// One condition before its key is given a source.
pub(crate) struct Condition {
    pub key: String,
    pub operator: Operator,
}

/// Reads the conditions of a selector; `stage` is who refuses a malformed one. A malformed condition is left out.
pub(crate) fn conditions(at: &At<'_>, stage: Stage, ctx: &mut Context<'_>) -> Vec<Condition> {
    let mut found = Vec::new();
    for (key, value) in at.get("matchLabels").map(|it| it.entries()).unwrap_or_default() {
        check_key(&value, &key, stage, ctx);
        let Some(text) = value.text() else { continue };
        check_value(&value, text, stage, ctx);
        found.push(Condition { key, operator: Operator::In(vec![text.to_owned()]) });
    }
    for expression in at.list("matchExpressions") {
        found.extend(condition(&expression, stage, ctx));
    }
    found
}

fn condition(at: &At<'_>, stage: Stage, ctx: &mut Context<'_>) -> Option<Condition> {
    let key = at.text_or_empty("key");
    check_key(at, &key, stage, ctx);
    let values: Vec<String> = at.list("values").filter_map(|it| it.text().map(str::to_owned)).collect();
    for value in at.list("values") {
        if let Some(text) = value.text() {
            check_value(&value, text, stage, ctx);
        }
    }
    let operator = match at.text_of("operator").unwrap_or_default() {
        "In" | "NotIn" if values.is_empty() => {
            ctx.reject(at, stage, ProblemKind::ValuesNeeded);
            return None;
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            ctx.reject(at, stage, ProblemKind::ValuesForbidden);
            return None;
        }
        "In" => Operator::In(values),
        "NotIn" => Operator::NotIn(values),
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        other => {
            let kind = ProblemKind::NotOneOf { found: other.to_owned(), allowed: OPERATORS };
            ctx.reject(at, stage, kind);
            return None;
        }
    };
    Some(Condition { key, operator })
}

fn check_key(at: &At<'_>, key: &str, stage: Stage, ctx: &mut Context<'_>) {
    // Why: only the agent's selectors name a source, and there a key may also be an address.
    let plain = match key.split_once(':') {
        Some((_, rest)) if stage != Stage::KubernetesApi => rest,
        _ => key.strip_prefix('$').filter(|_| stage != Stage::KubernetesApi).unwrap_or(key),
    };
    let address = stage != Stage::KubernetesApi && key.starts_with("cidr:");
    if !address && !is_label_key(plain) {
        ctx.reject(at, stage, ProblemKind::BadForm { found: key.to_owned(), wanted: Form::LabelKey });
    }
}

fn check_value(at: &At<'_>, value: &str, stage: Stage, ctx: &mut Context<'_>) {
    if !is_label_value(value) {
        // Why: the schema of a custom kind already has a pattern for values, though not for keys.
        let stage = if stage == Stage::Sanitize { Stage::Schema } else { stage };
        ctx.reject(at, stage, ProblemKind::BadForm { found: value.to_owned(), wanted: Form::LabelValue });
    }
}

/// Whether a text is a qualified label key: `[prefix/]name`.
///
/// Source: Kubernetes, "Labels and Selectors", syntax and character set.
pub fn is_label_key(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name)) if is_dns_subdomain(prefix) => name,
        Some(_) => return false,
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

/// Whether a text is a DNS subdomain in lower case. Source: RFC 1123 section 2.1, as the API server applies it.
pub fn is_dns_subdomain(text: &str) -> bool {
    let of_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(of_label)
}

/// Whether a text can be a label's value; the empty text can.
pub fn is_label_value(value: &str) -> bool {
    let edge = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    value.len() <= 63
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && edge(value.bytes().next())
        && edge(value.bytes().next_back())
}

/// Gives a condition of an agent's selector its source: `source:key`, `$name` for `reserved:name`, else any.
pub(crate) fn sourced(condition: Condition) -> Requirement {
    let Condition { key, operator } = condition;
    if let Some(name) = key.strip_prefix('$') {
        return Requirement { source: Some(Source::Reserved), key: name.to_owned(), operator };
    }
    match key.split_once(':') {
        Some(("any", key)) => Requirement { source: None, key: key.to_owned(), operator },
        Some((source, key)) => Requirement { source: Some(Source::named(source)), key: key.to_owned(), operator },
        None => Requirement { source: None, key, operator },
    }
}
