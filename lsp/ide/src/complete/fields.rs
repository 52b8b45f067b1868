//! Fields of the schema, with what follows them.

use kinds::schema::{Field, Shape, Status};

use super::{Item, ItemKind, Site, words};
use crate::cursor::{Step, Style};
use crate::shape;

/// Names of fields, where a colon follows already.
pub(super) fn keys(site: &Site<'_>) -> Vec<Item> {
    missing(site).into_iter().map(|(rank, field)| item(site, rank, field, field.name.to_owned(), false)).collect()
}

/// What may begin here: fields with what follows them; or a value, where no field belongs.
pub(super) fn starts(site: &Site<'_>) -> Vec<Item> {
    let fields = missing(site);
    if fields.is_empty() {
        return list_members(site);
    }
    fields
        .into_iter()
        .map(|(rank, field)| {
            let insert = format!("{}{}", site.cursor.glue, snippet(site, field));
            item(site, rank, field, insert, true)
        })
        .collect()
}

/// Values where a member of a list begins.
fn list_members(site: &Site<'_>) -> Vec<Item> {
    let mut path = site.cursor.path.clone();
    match shape::walk(site.kind, &path).map(|known| (known.shape, known.field)) {
        // Behind a dash the word was taken for a key of a member, which is no mapping.
        Some((shape @ (Shape::Text(_) | Shape::Word(_) | Shape::Whole(_) | Shape::WholeOrText(_)), field)) => {
            words::of_shape(site, &shape, field)
        }
        // Alone on a line below the key of a list: its dash is still to come.
        Some((Shape::List(of), _)) if site.cursor.style == Style::Block => {
            path.push(Step::Item(0));
            let fields = shape::fields(site.kind, &path).into_iter().enumerate();
            let dash = |(rank, field): (usize, &'static Field)| {
                let indent = " ".repeat(site.cursor.column as usize + 2);
                let insert = format!("- {}", body(field, &indent, Style::Block));
                Item { label: format!("- {}", field.name), ..item(site, rank, field, insert, true) }
            };
            let members = words::of_shape(site, of.of, None).into_iter();
            let words =
                members.map(|it| Item { insert: format!("- {}", it.insert), label: format!("- {}", it.label), ..it });
            fields.map(dash).chain(words).collect()
        }
        _ => Vec::new(),
    }
}

/// The fields that are not there yet and exclude nothing that is, each with its place in the schema.
fn missing(site: &Site<'_>) -> Vec<(usize, &'static Field)> {
    let there = site.cursor.siblings();
    let shape = shape::walk(site.kind, &site.cursor.path).map(|known| known.shape);
    let excluded = shape.map(|shape| shape::excluded(&shape, &there)).unwrap_or_default();
    let mut seen = Vec::new();
    let fields = shape::fields(site.kind, &site.cursor.path).into_iter().enumerate();
    fields
        .filter(|(_, field)| !there.iter().any(|it| it == field.name) && !excluded.contains(&field.name))
        .filter(|(_, field)| {
            let is_first = !seen.contains(&field.name);
            seen.push(field.name);
            is_first
        })
        .collect()
}

fn item(site: &Site<'_>, rank: usize, field: &'static Field, insert: String, is_snippet: bool) -> Item {
    let group = match field.status {
        _ if field.required => 0,
        Status::Supported => 1,
        Status::NoEffect | Status::NotYet => 2,
    };
    let effect = match field.status {
        Status::Supported => "",
        Status::NoEffect => ", no effect",
        Status::NotYet => ", not enforced yet",
    };
    Item {
        label: field.name.to_owned(),
        kind: ItemKind::Field,
        detail: format!("{}{effect}", brief(&field.shape)),
        documentation: shape::describe(field),
        span: site.cursor.span,
        insert,
        is_snippet,
        sort: format!("{group}{rank:03}"),
        deprecated: field.removed,
    }
}

fn brief(shape: &Shape) -> String {
    match shape {
        Shape::Word(_) => "word".into(),
        Shape::Flag => "true or false".into(),
        Shape::List(of) if matches!(of.of, Shape::Word(_)) => "list of words".into(),
        shape => shape::type_name(shape).replace('`', ""),
    }
}

/// A field with the places that its value has.
fn snippet(site: &Site<'_>, field: &Field) -> String {
    body(field, &" ".repeat(site.cursor.column as usize), site.cursor.style)
}

fn body(field: &Field, indent: &str, style: Style) -> String {
    let name = field.name;
    let has = |shape: &Shape, name: &str| shape.fields().iter().any(|field| field.name == name);
    match (style, &field.shape) {
        (_, Shape::Flag) => format!("{name}: ${{1|true,false|}}"),
        (_, Shape::Word(words)) if words.len() < 6 => format!("{name}: ${{1|{}|}}", words.join(",")),
        (Style::Flow, Shape::Object(_) | Shape::Map(_) | Shape::Open) => format!("{name}: {{$1}}"),
        (Style::Flow, Shape::List(_)) => format!("{name}: [$1]"),
        (Style::Block, shape @ Shape::Object(_)) if has(shape, "matchLabels") => {
            format!("{name}:\n{indent}  matchLabels:\n{indent}    $1")
        }
        (Style::Block, Shape::Object(_) | Shape::Map(_) | Shape::Open) => format!("{name}:\n{indent}  $1"),
        (Style::Block, Shape::List(of)) if matches!(of.of, Shape::Object(_)) && has(of.of, "matchLabels") => {
            format!("{name}:\n{indent}- matchLabels:\n{indent}    $1")
        }
        (Style::Block, Shape::List(_)) => format!("{name}:\n{indent}- $1"),
        (_, Shape::WholeOrText(_) | Shape::Whole(_) | Shape::Word(_) | Shape::Text(_) | Shape::Free) => {
            format!("{name}: $1")
        }
    }
}
