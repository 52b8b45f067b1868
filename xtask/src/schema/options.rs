//! The page of the keys of `tidegate.toml`, from their type.

use cli::config::Config;
use schemars::SchemaGenerator;
use serde_json::Value;

/// `docs/options.md`.
pub(super) fn page() -> String {
    let schema = SchemaGenerator::default().into_root_schema_for::<Config>().to_value();
    let mut out = String::from(
        "# Configuration keys\n\nThe keys of `tidegate.toml`; written by `cargo xtask schema --bless` from their type. What the file is for and where it is\nlooked for: the guide on configuration.\n\n| key | value | what it says |\n| --- | --- | --- |\n",
    );
    rows(&schema, &schema, "", &mut out);
    out
}

fn rows(root: &Value, schema: &Value, before: &str, out: &mut String) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let said = property["description"].as_str().unwrap_or_default().replace(['\n', '|'], " ");
        let target = followed(root, property);
        if target["properties"].is_object() {
            rows(root, target, &format!("{before}{name}."), out);
        } else {
            *out += &format!("| `{before}{name}` | {} | {said} |\n", kind(target));
        }
    }
}

/// What a property stands for: references followed, the part that is not null.
fn followed<'s>(root: &'s Value, property: &'s Value) -> &'s Value {
    let name = |it: &'s Value| it["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/"));
    let part = property["anyOf"].as_array().into_iter().flatten().find_map(name);
    name(property).or(part).map_or(property, |name| &root["$defs"][name])
}

/// The type in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = schema["oneOf"].as_array() {
        let words = words.iter().filter_map(|it| it["const"].as_str()).map(|word| format!("`{word}`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if schema["items"]["$ref"].is_string() {
        return "a list of tables".to_owned();
    }
    let of =
        |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|it| it.contains(&name.into()));
    let all = [("string", "text"), ("boolean", "true or false"), ("integer", "a number"), ("array", "a list of texts")];
    let known = all.iter().find(|(name, _)| of(name)).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| "a table".to_owned())
}
