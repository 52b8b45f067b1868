//! From lines without indentation to the document that they were, by the schema of the kind.

use kinds::Kind;
use kinds::schema::{ENVELOPE, Field, Shape, TEXT, map};

/// What `metadata` may hold.
const METADATA: &[Field] = &[
    Field::new("name", TEXT, ""),
    Field::new("namespace", TEXT, ""),
    Field::new("labels", map(&TEXT), ""),
    Field::new("annotations", map(&TEXT), ""),
];

/// Something that lines are still added to.
struct Open {
    shape: Held,
    indent: usize,
    /// The fields that it has.
    seen: Vec<String>,
}

#[derive(Clone, Copy)]
enum Held {
    Fields(&'static [Field]),
    List(&'static Shape),
    Map,
}

/// Indents the lines of a document; `None` when some line fits nowhere. Each line goes to the innermost place that takes it.
pub(super) fn unflatten(text: &str, kind: &Kind) -> Option<String> {
    let mut open = vec![Open { shape: Held::Fields(kind.schema.fields), indent: 0, seen: Vec::new() }];
    let mut out = String::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            out.push_str(line.trim_end());
        } else {
            let indent = place(&mut open, content)?;
            out.push_str(&" ".repeat(indent));
            out.push_str(content);
        }
        out.push('\n');
    }
    Some(out)
}

/// Finds the place of a line and opens what it begins; the answer is its indentation.
fn place(open: &mut Vec<Open>, content: &str) -> Option<usize> {
    match content.strip_prefix("- ") {
        Some(item) => place_item(open, item.trim_start()),
        None => place_field(open, content),
    }
}

fn place_item(open: &mut Vec<Open>, item: &str) -> Option<usize> {
    let key = item.split_once(':').map(|(key, rest)| (key.trim_matches(['"', '\'']), rest.trim()));
    let takes = |it: &Open| match (it.shape, key) {
        (Held::List(Shape::Object(object)), Some((key, _))) => field(object.fields, key).is_some(),
        (Held::List(Shape::Object(_)), None) => item.starts_with('{'),
        (Held::List(_), _) => true,
        _ => false,
    };
    let at = open.iter().rposition(takes)?;
    open.truncate(at + 1);
    let indent = open[at].indent;
    if let (Held::List(Shape::Object(object)), Some(_)) = (open[at].shape, key) {
        open.push(Open { shape: Held::Fields(object.fields), indent: indent + 2, seen: Vec::new() });
        place_field(open, item)?;
    }
    Some(indent)
}

fn place_field(open: &mut Vec<Open>, content: &str) -> Option<usize> {
    let (key, value) = content.split_once(':')?;
    let (key, value) = (key.trim_matches(['"', '\'']), value.split(" #").next().unwrap_or_default().trim());
    let takes = |it: &Open| match it.shape {
        Held::Fields(fields) => {
            !it.seen.iter().any(|seen| seen == key) && (field(fields, key).is_some() || is_head(it, key))
        }
        Held::Map => !value.is_empty(),
        Held::List(_) => false,
    };
    let at = open.iter().rposition(takes)?;
    open.truncate(at + 1);
    open[at].seen.push(key.to_owned());
    let indent = open[at].indent;
    let shape = match open[at].shape {
        Held::Fields(_) if is_head(&open[at], key) && key == "metadata" => Some(Held::Fields(METADATA)),
        Held::Fields(fields) => field(fields, key).and_then(|field| held(field.shape)),
        _ => None,
    };
    if let Some(shape) = shape.filter(|_| value.is_empty()) {
        open.push(Open { shape, indent: indent + 2, seen: Vec::new() });
    }
    Some(indent)
}

/// Whether a key is one that every object has, at the top.
fn is_head(open: &Open, key: &str) -> bool {
    open.indent == 0 && ENVELOPE.contains(&key)
}

fn field(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

/// What a value of a shape holds, when lines may follow.
fn held(shape: Shape) -> Option<Held> {
    match shape {
        Shape::Object(object) => Some(Held::Fields(object.fields)),
        Shape::List(list) => Some(Held::List(list.of)),
        Shape::Map(_) => Some(Held::Map),
        _ => None,
    }
}
