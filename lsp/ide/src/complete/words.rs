//! Values that the schema or the kind lists.

use kinds::schema::{Field, Shape};
use kinds::selector::OPERATORS;
use kinds::{CHECKED, FACTS, KINDS};

use super::{Item, ItemKind, Site};

/// What a value of a shape may be.
pub(super) fn of_shape(site: &Site<'_>, shape: &Shape, field: Option<&'static Field>) -> Vec<Item> {
    let there = site.cursor.siblings();
    let words: Vec<&str> = match shape {
        Shape::Word(words) => words.to_vec(),
        Shape::Flag => vec!["true", "false"],
        Shape::Text(_) => by_name(site, field.map_or("", |field| field.name)),
        _ => Vec::new(),
    };
    let kind = ItemKind::Word;
    let numbered = words.iter().enumerate().filter(|(_, word)| !there.iter().any(|it| it == *word));
    let item = |(at, word): (usize, &&str)| {
        let mut item = site.word(word, kind, "");
        // Why: `true` and `false` are no texts here.
        if matches!(shape, Shape::Flag) {
            item.insert = format!("{}{word}", site.cursor.glue);
        }
        Item { sort: format!("1{at:03}"), ..item }
    };
    numbered.map(item).collect()
}

/// Words of fields that are any text to the schema, and that code checks.
fn by_name(site: &Site<'_>, field: &str) -> Vec<&'static str> {
    let is_root = site.cursor.path.len() == 1;
    match field {
        "policyTypes" => vec!["Ingress", "Egress"],
        "protocol" => vec!["TCP", "UDP", "SCTP"],
        "operator" => OPERATORS.to_vec(),
        "kind" if is_root => kinds_of(site.cursor.text("apiVersion")),
        "apiVersion" if is_root => versions(),
        _ => Vec::new(),
    }
}

/// The kinds under an `apiVersion`; all where it is not written yet.
fn kinds_of(api_version: Option<&str>) -> Vec<&'static str> {
    let all = KINDS.iter().chain(FACTS).chain(CHECKED.iter().map(|known| &known.kind));
    let fits = |kind: &&kinds::Kind| {
        let written = |version: &&str| match kind.group {
            "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        };
        api_version.is_none_or(|it| it.is_empty() || kind.versions.iter().any(|version| written(version) == it))
    };
    all.filter(fits).map(|kind| kind.kind).collect()
}

fn versions() -> Vec<&'static str> {
    vec![
        "networking.k8s.io/v1",
        "cilium.io/v2",
        "policy.networking.k8s.io/v1alpha2",
        "policy.networking.k8s.io/v1alpha1",
        "cilium.io/v2alpha1",
        "v1",
        "apps/v1",
        "batch/v1",
        "discovery.k8s.io/v1",
    ]
}
