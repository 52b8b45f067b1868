//! Objects that follow a schema table.

use super::words;
use crate::random::Random;
use crate::value::Value;
use kinds::Kind;
use kinds::schema::{Field, Shape, Status};

/// How deep an object may be: a schema may refer to itself.
const DEEPEST: usize = 12;

/// An object of a kind, with a name; most are refused for what schemas do not tell, so makers ask again.
pub fn object(kind: &Kind, name: &str, random: &mut Random) -> Value {
    let mut metadata = vec![("name".to_owned(), Value::text(name))];
    if kind.namespaced && random.chance(9, 10) {
        metadata.push(("namespace".to_owned(), Value::text(random.pick_copy(words::NAMESPACES))));
    }
    let version = random.pick_copy(kind.versions);
    let api = if kind.group.is_empty() { version.to_owned() } else { format!("{}/{version}", kind.group) };
    let mut object = vec![
        ("apiVersion".to_owned(), Value::text(api)),
        ("kind".to_owned(), Value::text(kind.kind)),
        ("metadata".to_owned(), Value::Map(metadata)),
    ];
    object.extend(fields(kind.schema.fields, 0, random));
    Value::Map(object)
}

fn fields(fields: &[Field], depth: usize, random: &mut Random) -> Vec<(String, Value)> {
    // Few of many fields: most of them exclude each other.
    let wanted = if fields.len() <= 3 { random.between(1, fields.len().max(1)) } else { random.between(1, 3) };
    let chosen: Vec<usize> = (0..wanted).map(|_| random.below(fields.len())).collect();
    let mut out = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let skipped = field.status == Status::NotYet && !random.chance(1, 8);
        // What says whom an object is about, and what it says: an object without is refused or says nothing.
        let telling = matches!(
            field.name,
            "spec"
                | "podSelector"
                | "endpointSelector"
                | "subject"
                | "action"
                | "priority"
                | "tier"
                | "ports"
                | "toPorts"
        ) && random.chance(3, 4);
        if field.required || (!skipped && (telling || chosen.contains(&at))) {
            out.push((field.name.to_owned(), shape(field.name, &field.shape, depth + 1, random)));
        }
    }
    agree(&mut out, random);
    out
}

/// Makes fields that belong together agree, most of the time.
fn agree(entries: &mut Vec<(String, Value)>, random: &mut Random) {
    if random.chance(1, 12) {
        return;
    }
    let number = |entries: &[(String, Value)], name: &str| {
        let value = entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)?;
        match value {
            Value::Whole(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    };
    let has = |entries: &[(String, Value)], name: &str| entries.iter().any(|(key, _)| key == name);
    let drop_field = |entries: &mut Vec<(String, Value)>, name: &str| entries.retain(|(key, _)| key != name);
    for (first, last) in [("port", "endPort"), ("start", "end")] {
        match number(entries, first) {
            None => drop_field(entries, last),
            Some(low) if has(entries, last) => {
                let high = (low + random.below(20) as i64).min(65535);
                entries.iter_mut().filter(|(key, _)| key == last).for_each(|(_, value)| *value = Value::Whole(high));
            }
            Some(_) => {}
        }
    }
    if has(entries, "operator") {
        let exists = entries
            .iter()
            .any(|(key, value)| key == "operator" && matches!(value.as_text(), Some("Exists" | "DoesNotExist")));
        drop_field(entries, "values");
        drop_field(entries, "key");
        let (key, value) = words::label(random);
        entries.push(("key".to_owned(), Value::text(key)));
        if !exists {
            entries.push(("values".to_owned(), Value::List(vec![Value::text(value)])));
        }
    }
    // Of alternatives the first is kept.
    for group in [
        &["ipBlock", "podSelector"][..],
        &["ipBlock", "namespaceSelector"],
        &["cidr", "cidrGroupRef", "cidrGroupSelector"],
        &["icmps", "toPorts"],
        &["spec", "specs"],
        &["endpointSelector", "nodeSelector"],
        &["matchName", "matchPattern"],
        &["http", "kafka", "dns", "l7", "l7proto"],
        &["k8sService", "k8sServiceSelector"],
        &["namespaces", "pods", "nodes", "networks", "domainNames"],
        &["portNumber", "portRange", "namedPort"],
        // Both together select hardly anybody in a small cluster.
        &["matchLabels", "matchExpressions"],
    ] {
        let mut kept = None;
        let start = random.below(group.len());
        for name in (0..group.len())
            .map(|at| group[(start + at) % group.len()])
            .filter(|name| has(entries, name))
            .collect::<Vec<_>>()
        {
            if kept.is_some() {
                drop_field(entries, name);
            }
            kept = Some(name);
        }
    }
}

fn shape(field: &str, of: &Shape, depth: usize, random: &mut Random) -> Value {
    match of {
        Shape::Text(_) => words::text(field, random),
        Shape::Word(allowed) if !allowed.is_empty() => Value::text(random.pick_copy(allowed)),
        Shape::Whole(whole) => {
            let (least, greatest) = (whole.least.max(0), whole.greatest.min(65535));
            let port = random.pick_copy(words::PORTS);
            let inside = (least..=greatest).contains(&port);
            Value::Whole(if inside { port } else { random.between(least as usize, greatest as usize) as i64 })
        }
        Shape::Flag => Value::Flag(random.chance(1, 2)),
        Shape::WholeOrText(_) if random.chance(1, 4) => words::text(field, random),
        Shape::WholeOrText(_) => Value::Whole(random.pick_copy(words::PORTS)),
        Shape::Object(_) | Shape::List(_) | Shape::Map(_) if depth > DEEPEST => Value::Null,
        Shape::Object(inner) if inner.fields.is_empty() => Value::Map(Vec::new()),
        // An empty selector selects everybody, which is a case of its own.
        Shape::Object(_) if field.ends_with("elector") && random.chance(2, 5) => Value::Map(Vec::new()),
        Shape::Object(inner) => Value::Map(fields(inner.fields, depth, random)),
        Shape::List(list) => {
            let count = (random.pick_copy(&[1, 1, 1, 2, 2, 3, 0])).max(list.least.min(3)).min(list.most);
            Value::List((0..count).map(|_| shape(field, list.of, depth + 1, random)).collect())
        }
        Shape::Map(of) => {
            let entry = |random: &mut Random| {
                let (key, value) = words::entry(field, random);
                if matches!(of, Shape::Text(_)) { (key, value) } else { (key, shape(field, of, depth + 1, random)) }
            };
            Value::Map((0..random.between(1, 2)).map(|_| entry(random)).collect())
        }
        _ => Value::map([("a", words::text(field, random))]),
    }
}
