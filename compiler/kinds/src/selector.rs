//! Label selectors, as every kind writes them.

use std::borrow::Cow;

use facts::read::At;
use hir::{Operator, Requirement, Source};

use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use crate::schema::{Field, Pattern, Shape, TEXT, list, map, object};

/// The operators of `matchExpressions`.
pub const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];

/// A label's value, as the definitions of custom kinds have it.
pub const LABEL_VALUE: Pattern =
    Pattern { text: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", is_in: is_short_word, form: Form::LabelValue };

const VALUE: Shape = TEXT.most(63).like(LABEL_VALUE);

/// The fields of a label selector of an agent's kind, whose schema checks values and operators.
pub const SELECTOR: &[Field] = &[
    Field::new("matchLabels", map(&VALUE), "Labels that must all be there with these values."),
    Field::new("matchExpressions", list(&object(EXPRESSION)), "Conditions that must all hold."),
];

const EXPRESSION: &[Field] = &[
    Field::new("key", TEXT, "The label's key.").required(),
    Field::new("operator", Shape::Word(OPERATORS), "What must hold of its value.").required(),
    Field::new("values", list(&TEXT), "The values of `In` and `NotIn`."),
];

/// The fields of a label selector of a custom kind whose schema leaves values and operators to whoever reads it.
pub const LOOSE_SELECTOR: &[Field] = &[
    Field::new("matchLabels", map(&TEXT), "Labels that must all be there with these values."),
    Field::new("matchExpressions", list(&object(LOOSE_EXPRESSION)), "Conditions that must all hold."),
];

const LOOSE_EXPRESSION: &[Field] = &[
    Field::new("key", TEXT, "The label's key.").required(),
    Field::new("operator", TEXT, "What must hold of its value.").required(),
    Field::new("values", list(&TEXT), "The values of `In` and `NotIn`."),
];

/// As [`LOOSE_SELECTOR`], for a built-in kind, where nothing is required of its type.
pub const BUILT_IN_SELECTOR: &[Field] = &[
    Field::new("matchLabels", map(&TEXT), "Labels that must all be there with these values."),
    Field::new("matchExpressions", list(&object(BUILT_IN_EXPRESSION)), "Conditions that must all hold."),
];

const BUILT_IN_EXPRESSION: &[Field] = &[
    Field::new("key", TEXT, "The label's key."),
    Field::new("operator", TEXT, "What must hold of its value."),
    Field::new("values", list(&TEXT), "The values of `In` and `NotIn`."),
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
        found.push(Condition { key: key.into_owned(), operator: Operator::In(vec![text.to_owned()]) });
    }
    for expression in at.list("matchExpressions") {
        found.extend(condition(&expression, stage, ctx));
    }
    found
}

/// Reads the conditions of a selector of a built-in kind, which the API server has checked.
pub(crate) fn built_in_conditions(at: &At<'_>) -> Vec<Condition> {
    let labels = at.get("matchLabels").map(|it| it.entries()).unwrap_or_default();
    let equal = |(key, value): (Cow<'_, str>, At<'_>)| {
        let operator = Operator::In(vec![value.text().unwrap_or_default().to_owned()]);
        Condition { key: key.into_owned(), operator }
    };
    let expressions = at.list("matchExpressions").filter_map(|at| {
        let values = at.list("values").map(|it| it.text().unwrap_or_default().to_owned()).collect();
        Some(Condition { key: at.text_or_empty("key"), operator: operator(at.text_of("operator")?, values)? })
    });
    labels.into_iter().map(equal).chain(expressions).collect()
}

fn operator(name: &str, values: Vec<String>) -> Option<Operator> {
    Some(match name {
        "In" => Operator::In(values),
        "NotIn" => Operator::NotIn(values),
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        _ => return None,
    })
}

fn condition(at: &At<'_>, stage: Stage, ctx: &mut Context<'_>) -> Option<Condition> {
    // Why: a missing key or operator has been said before.
    let (key, name) = (at.get("key")?, at.get("operator")?);
    let text = key.text()?;
    check_key(&key, text, stage, ctx);
    let values: Vec<At<'_>> = at.list("values").collect();
    for value in &values {
        check_value(value, value.text().unwrap_or_default(), stage, ctx);
    }
    match name.text()? {
        "In" | "NotIn" if values.is_empty() => ctx.reject(at, stage, ProblemKind::ValuesNeeded),
        "Exists" | "DoesNotExist" if !values.is_empty() => ctx.reject(at, stage, ProblemKind::ValuesForbidden),
        known if OPERATORS.contains(&known) => {
            let values = values.iter().map(|it| it.text().unwrap_or_default().to_owned()).collect();
            return Some(Condition { key: text.to_owned(), operator: operator(known, values)? });
        }
        other => ctx.reject(&name, stage, ProblemKind::NotOneOf { found: other.to_owned(), allowed: OPERATORS }),
    }
    None
}

/// Checks a key of an agent's selector: a label key, perhaps after a source, or an address.
fn check_key(at: &At<'_>, key: &str, stage: Stage, ctx: &mut Context<'_>) {
    let (source, plain) = key.split_once(':').unwrap_or(("", key.strip_prefix('$').unwrap_or(key)));
    let is_source = source.bytes().all(|b| b.is_ascii_alphanumeric()) && (!source.is_empty() || !key.starts_with(':'));
    if !(key.starts_with("cidr:") || is_source && is_label_key(plain)) {
        ctx.reject(at, stage, ProblemKind::BadForm { found: key.to_owned(), wanted: Form::LabelKey });
    }
}

fn check_value(at: &At<'_>, value: &str, stage: Stage, ctx: &mut Context<'_>) {
    if !is_label_value(value) {
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
    value.len() <= 63 && is_short_word(value)
}

/// Letters, digits, `-`, `_` and `.` between letters or digits; what [`LABEL_VALUE`] matches.
fn is_short_word(value: &str) -> bool {
    let edge = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
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
