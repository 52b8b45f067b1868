//! One configuration text: every fault at once, with its place.

use super::Config;
use schemars::SchemaGenerator;
use serde_json::Value;
use source::LineIndex;
use toml::de::{DeTable, DeValue};

/// Reads a text; `name` is what people call it.
///
/// Errors: one line a fault, `FILE:LINE:COLUMN: what`.
pub(super) fn read(name: &str, text: &str) -> Result<Config, Vec<String>> {
    let lines = LineIndex::new(text);
    let at = |offset: usize| {
        let place = lines.position(offset as u32);
        format!("{name}:{}:{}", place.line, place.column)
    };
    let table = DeTable::parse(text).map_err(|error| {
        let place = at(error.span().map_or(0, |span| span.start));
        vec![format!("{place}: it is not TOML: {}", error.message().lines().next().unwrap_or_default())]
    })?;
    let schema = SchemaGenerator::default().into_root_schema_for::<Config>().to_value();
    let mut unknown = Vec::new();
    keys(table.get_ref(), &schema, &schema, "", &mut |offset, said| unknown.push((offset, said)));
    if !unknown.is_empty() {
        unknown.sort();
        return Err(unknown.into_iter().map(|(offset, said)| format!("{}: {said}", at(offset))).collect());
    }
    toml::from_str(text).map_err(|error| {
        let place = at(error.span().map_or(0, |span| span.start));
        vec![format!("{place}: {}", error.message().lines().next().unwrap_or_default())]
    })
}

/// Says which keys of a table its schema does not know, tables below included.
fn keys(table: &DeTable<'_>, root: &Value, schema: &Value, path: &str, say: &mut dyn FnMut(usize, String)) {
    let Some(known) = resolved(root, schema).get("properties").and_then(Value::as_object) else { return };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match (known.get(name), value.get_ref()) {
            (None, _) => {
                let near = near(name, known.keys().map(String::as_str));
                let near = near.map_or_else(
                    || {
                        let known: Vec<&str> = known.keys().map(String::as_str).collect();
                        format!("known: {}", known.join(", "))
                    },
                    |near| format!("is `{path}{near}` meant?"),
                );
                say(key.span().start, format!("there is no key `{path}{name}`; {near}"));
            }
            (Some(below), DeValue::Table(inner)) => keys(inner, root, below, &format!("{path}{name}."), say),
            _ => {}
        }
    }
}

/// What a schema stands for: references followed, the part that is not null.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/")) {
        return &root["$defs"][name];
    }
    let parts = schema.get("anyOf").and_then(Value::as_array);
    let part = parts.and_then(|parts| parts.iter().find(|it| it.get("$ref").is_some()));
    part.map_or(schema, |part| resolved(root, part))
}

/// The nearest of some names, where one is near.
fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = (name.chars().count() / 3).clamp(1, 3);
    known.map(|it| (strsim::osa_distance(name, it), it)).filter(|(far, _)| *far <= most).min().map(|(_, it)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unknown_key_is_said_with_its_place_and_a_near_name() {
        let text = "dialect = 'cilium'\nselekt = ['all']\n[suppressions]\nstrickt = true\n[per-file-ignores]\n'a.yaml' = ['TG01']\n";
        let said = read("tidegate.toml", text).unwrap_err();
        assert_eq!(
            said,
            [
                "tidegate.toml:2:1: there is no key `selekt`; is `select` meant?",
                "tidegate.toml:4:1: there is no key `suppressions.strickt`; is `suppressions.strict` meant?",
            ]
        );
        let said = read("t", "colour = 'red'\n").unwrap_err();
        assert!(said[0].contains("known: baseline, cluster, dialect"), "{said:?}");
    }

    #[test]
    fn a_value_of_another_type_is_said_with_its_place() {
        let said = read("t", "dialect = 'auto'\nignore = 'TG0012'\n").unwrap_err();
        assert!(said[0].starts_with("t:2:10: ") && said.len() == 1, "{said:?}");
        let said = read("t", "a = [\n").unwrap_err();
        assert!(said[0].contains("it is not TOML"), "{said:?}");
    }
}
