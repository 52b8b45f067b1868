//! Our tables beside published definitions, where somebody has a folder of them.
//!
//! `TIDEGATE_DEFINITIONS=FOLDER` names it; without it the definitions are absent, since the tables stand for themselves.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use facts::read::At;
use kinds::schema::{Choice, Field, Shape, Source, Text, Unique};
use kinds::{CHECKED, FACTS, KINDS, Kind};
use syntax::{Limits, Value};

#[test]
fn tables_say_what_published_definitions_say() {
    let Some(folder) = std::env::var_os("TIDEGATE_DEFINITIONS") else {
        // A closed standard error is no reason to fail.
        let _ = writeln!(std::io::stderr(), "definitions: absent; TIDEGATE_DEFINITIONS names no folder");
        return;
    };
    let (mut wrong, mut compared) = (Vec::new(), BTreeSet::new());
    for text in files(Path::new(&folder)) {
        let tree = syntax::parse(&text, &Limits::default());
        for root in tree.documents().iter().filter_map(|document| document.root) {
            definition(&At::root(&tree, root), &mut wrong, &mut compared);
        }
    }
    let _ = writeln!(std::io::stderr(), "definitions: {} versions compared", compared.len());
    for kind in tables() {
        let names = kind.versions.iter().map(|version| format!("{}/{version}", kind.kind));
        wrong.extend(names.filter(|name| !compared.contains(name)).map(|name| format!("{name}: no definition")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let manifests = paths.filter(|path| path.extension().is_some_and(|it| it == "yaml" || it == "yml"));
    manifests.map(|path| std::fs::read_to_string(path).expect("the file is text")).collect()
}

fn definition(root: &At<'_>, wrong: &mut Vec<String>, compared: &mut BTreeSet<String>) {
    let Some(spec) = root.get("spec") else { return };
    let (group, kind) = (spec.text_or_empty("group"), spec.dig(&["names", "kind"]));
    let kind = kind.and_then(|it| it.text()).unwrap_or_default();
    for version in spec.list("versions") {
        let name = version.text_or_empty("name");
        let custom = |it: &&Kind| it.group == group && it.kind == kind && it.versions.contains(&name.as_str());
        let Some(known) = tables().find(custom) else {
            // Why: a folder may hold definitions of groups that have no policies.
            if GROUPS.contains(&group.as_str()) && is_served(&version) {
                wrong.push(format!("{kind}/{name}: no table"));
            }
            continue;
        };
        let name = format!("{kind}/{name}");
        let Some(schema) = version.dig(&["schema", "openAPIV3Schema"]) else { continue };
        differ(wrong, &name, "namespaced", known.namespaced, spec.text_of("scope") == Some("Namespaced"));
        fields(&schema, known.schema.fields, &name, wrong);
        compared.insert(name);
    }
}

/// The groups whose kinds we all know.
const GROUPS: [&str; 2] = ["cilium.io", "policy.networking.k8s.io"];

/// Every table of a kind with a published definition, each for its versions.
fn tables() -> impl Iterator<Item = &'static Kind> {
    let all = KINDS.iter().chain(FACTS).chain(CHECKED.iter().map(|checked| &checked.kind));
    all.filter(|kind| kind.schema.source == Source::Custom)
}

fn is_served(version: &At<'_>) -> bool {
    version.get("served").is_some_and(|it| it.value() == Value::Bool(true))
}

/// The fields that every object has, and those that we do not look into.
const OTHERS: [&str; 3] = ["apiVersion", "kind", "metadata"];

fn fields(schema: &At<'_>, ours: &[Field], path: &str, wrong: &mut Vec<String>) {
    let theirs = schema.get("properties").map(|it| it.entries()).unwrap_or_default();
    let is_other = |name: &str| !path.contains('.') && OTHERS.contains(&name);
    let theirs = theirs.into_iter().filter(|(name, _)| !is_other(name));
    let required: BTreeSet<&str> = schema.list("required").filter_map(|it| it.text()).collect();
    let mut seen = BTreeSet::new();
    for (name, schema) in theirs {
        let here = format!("{path}.{name}");
        let Some(field) = ours.iter().find(|field| field.name == name && !field.removed) else {
            wrong.push(format!("{here}: missing"));
            continue;
        };
        seen.insert(field.name);
        differ(wrong, &here, "required", field.required, required.contains(field.name));
        differ(wrong, &here, "defaulted", field.defaulted, schema.get("default").is_some());
        shape(&schema, &field.shape, &here, wrong);
    }
    let more = ours.iter().filter(|field| !field.removed && !seen.contains(field.name));
    wrong.extend(more.map(|field| format!("{path}.{}: not in the definition", field.name)));
}

fn differ<T: PartialEq + std::fmt::Debug>(wrong: &mut Vec<String>, path: &str, what: &str, ours: T, theirs: T) {
    if ours != theirs {
        wrong.push(format!("{path}: {what} is {ours:?} here and {theirs:?} there"));
    }
}

fn size(schema: &At<'_>, name: &str, absent: usize) -> usize {
    schema.get(name).and_then(|it| it.whole()).and_then(|it| usize::try_from(it).ok()).unwrap_or(absent)
}

fn shape(schema: &At<'_>, ours: &Shape, path: &str, wrong: &mut Vec<String>) {
    let kind = schema.text_of("type").unwrap_or_default();
    let either = schema.get("x-kubernetes-int-or-string").is_some();
    let kept = schema.get("x-kubernetes-preserve-unknown-fields").is_some();
    let words: Vec<&str> = schema.list("enum").filter_map(|it| it.text()).collect();
    let right = match ours {
        Shape::Free => return,
        Shape::Open => kind == "object" && kept,
        Shape::Text(_) => kind == "string" && words.is_empty(),
        Shape::Word(allowed) => kind == "string" && words == published(allowed),
        Shape::Whole(_) => kind == "integer",
        Shape::Flag => kind == "boolean",
        Shape::WholeOrText(_) => either,
        Shape::Object(_) => kind == "object" && schema.get("additionalProperties").is_none(),
        Shape::Map(_) => kind == "object" && schema.get("additionalProperties").is_some(),
        Shape::List(_) => kind == "array",
    };
    if !right {
        return wrong.push(format!("{path}: is {ours:?} here and {kind} {words:?} there"));
    }
    match ours {
        Shape::Text(text) | Shape::WholeOrText(text) => texts(schema, text, path, wrong),
        Shape::Whole(limits) => {
            let of = |name: &str, absent: i64| schema.get(name).and_then(|it| it.whole()).unwrap_or(absent);
            differ(wrong, path, "minimum", limits.least, of("minimum", i64::MIN));
            differ(wrong, path, "maximum", limits.greatest, of("maximum", i64::MAX));
            // Why: where the limits fit into 32 bits, the width refuses nothing more.
            let narrow = schema.text_of("format") == Some("int32");
            let matters = limits.least < i64::from(i32::MIN) || limits.greatest > i64::from(i32::MAX);
            if matters {
                differ(wrong, path, "32 bits", limits.narrow, narrow);
            }
        }
        Shape::Object(object) => {
            differ(wrong, path, "least fields", object.least, size(schema, "minProperties", 0));
            differ(wrong, path, "most fields", object.most, size(schema, "maxProperties", usize::MAX));
            choices(schema, object.choices, path, wrong);
            fields(schema, object.fields, path, wrong);
        }
        Shape::Map(of) => of_members(schema.get("additionalProperties"), of, &format!("{path}{{}}"), wrong),
        Shape::List(list) => {
            differ(wrong, path, "least members", list.least, size(schema, "minItems", 0));
            differ(wrong, path, "most members", list.most, size(schema, "maxItems", usize::MAX));
            let unique = match schema.text_of("x-kubernetes-list-type") {
                Some("set") => "whole",
                Some("map") => "by keys",
                _ => "no",
            };
            let ours = match list.unique {
                Unique::No => "no",
                Unique::Whole => "whole",
                Unique::By(_) => "by keys",
            };
            differ(wrong, path, "unique", ours, unique);
            of_members(schema.get("items"), list.of, &format!("{path}[]"), wrong);
        }
        _ => {}
    }
}

/// The words of a table without those that the agent takes and the definition leaves out.
fn published(words: &[&'static str]) -> Vec<&'static str> {
    words.iter().copied().filter(|word| !["world-ipv4", "world-ipv6"].contains(word)).collect()
}

fn of_members(schema: Option<At<'_>>, ours: &Shape, path: &str, wrong: &mut Vec<String>) {
    if let Some(schema) = schema.filter(|it| matches!(it.value(), Value::Mapping(_))) {
        shape(&schema, ours, path, wrong);
    }
}

fn texts(schema: &At<'_>, ours: &Text, path: &str, wrong: &mut Vec<String>) {
    differ(wrong, path, "least characters", ours.least, size(schema, "minLength", 0));
    differ(wrong, path, "most characters", ours.most, size(schema, "maxLength", usize::MAX));
    // Why: classes such as `\s` mean ASCII there, so tables may spell them out.
    let plain = |text: &str| text.replace(r"[\t\n\f\r ]", r"\s").replace("[0-9]", r"\d");
    let pattern = ours.pattern.map(|it| plain(it.text));
    differ(wrong, path, "pattern", pattern, schema.text_of("pattern").map(plain));
    let known = |format: &&str| ["cidr", "date-time", "ipv4"].contains(format);
    let format = ours.format.map(|it| it.name());
    differ(wrong, path, "format", format, schema.text_of("format").filter(known));
}

fn choices(schema: &At<'_>, ours: &[Choice], path: &str, wrong: &mut Vec<String>) {
    let of = |name: &str| -> Vec<String> {
        let alternatives = schema.list(name);
        alternatives
            .flat_map(|it| it.list("required").collect::<Vec<_>>())
            .filter_map(|it| Some(it.text()?.to_owned()))
            .collect()
    };
    let mut found = [Vec::new(), Vec::new()];
    for choice in ours {
        match choice {
            Choice::OneOf(of) | Choice::NewOneOf(of) => found[0].extend(of.iter().map(|it| (*it).to_owned())),
            Choice::AnyOf(of) => found[1].extend(of.iter().map(|it| (*it).to_owned())),
        }
    }
    differ(wrong, path, "oneOf", &found[0], &of("oneOf"));
    differ(wrong, path, "anyOf", &found[1], &of("anyOf"));
}
