//! From a path of keys to what a schema says of it.

use kinds::registry::{Class, classify};
use kinds::schema::{self, Field, Shape, Status, TEXT, object};
use kinds::{FACTS, Kind, metadata};

use crate::cursor::Step;

/// What may stand at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The field that was named last; absent for the object itself.
    pub field: Option<&'static Field>,
    pub shape: Shape,
}

/// The fields that every object has.
const ENVELOPE: &[Field] = &[
    Field::new("apiVersion", TEXT, "Group and version of the object's kind.").required(),
    Field::new("kind", TEXT, "What the object is.").required(),
    Field::new("metadata", object(metadata::FIELDS), "The object's name, namespace, labels and annotations.")
        .required(),
];

/// The kind that these words name, where it has a schema.
pub(crate) fn kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    match classify(api_version, kind) {
        Class::Policy(known) => Some(known),
        Class::Checked(known) => Some(&known.kind),
        _ => FACTS.iter().find(|it| it.group == group && it.kind == kind && it.versions.contains(&version)),
    }
}

/// What may stand at a path of an object; `None` where no schema tells.
pub(crate) fn walk(kind: Option<&'static Kind>, path: &[Step]) -> Option<Known> {
    let [first, rest @ ..] = path else {
        return Some(Known { field: None, shape: Shape::Open });
    };
    let Step::Key(first) = first else { return None };
    let own = kind.map_or(&[][..], |kind| kind.schema.fields);
    let field = ENVELOPE.iter().chain(own).find(|field| field.name == first)?;
    let mut known = Known { field: Some(field), shape: field.shape };
    for step in rest {
        known = match (step, known.shape) {
            (Step::Key(key), Shape::Object(of)) => {
                let named = of.fields.iter().filter(|field| field.name == key);
                let field = named.clone().find(|field| !field.removed).or_else(|| named.clone().next())?;
                Known { field: Some(field), shape: field.shape }
            }
            (Step::Key(_), Shape::Map(of)) => Known { shape: *of, ..known },
            (Step::Item(_), Shape::List(of)) => Known { shape: *of.of, ..known },
            _ => return None,
        };
    }
    Some(known)
}

/// The fields that may stand in the mapping at a path, in the order of the schema; none where no mapping of fields belongs.
pub(crate) fn fields(kind: Option<&'static Kind>, path: &[Step]) -> Vec<&'static Field> {
    if path.is_empty() {
        let own = kind.map_or(&[][..], |kind| kind.schema.fields);
        return ENVELOPE.iter().chain(own).filter(|field| !field.removed && field.name != "status").collect();
    }
    match walk(kind, path).map(|known| known.shape) {
        Some(Shape::Object(of)) => of.fields.iter().filter(|field| !field.removed).collect(),
        _ => Vec::new(),
    }
}

/// A type as people say it.
pub(crate) fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::Text(_) => "text".into(),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Whole(of) if of.least >= 0 && of.greatest < i64::from(i32::MAX) => {
            format!("whole number, {} to {}", of.least, of.greatest)
        }
        Shape::Whole(_) => "whole number".into(),
        Shape::Flag => "`true` or `false`".into(),
        Shape::WholeOrText(_) => "number or text".into(),
        Shape::Object(_) | Shape::Open => "mapping".into(),
        Shape::List(of) if matches!(of.of, Shape::Word(_)) => format!("list of {}", type_name(of.of)),
        Shape::List(of) => format!("list of {}", plural(of.of)),
        Shape::Map(_) => "mapping of names to values".into(),
        Shape::Free => "anything".into(),
    }
}

fn plural(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) => "texts",
        Shape::Whole(_) => "whole numbers",
        Shape::Object(_) | Shape::Open | Shape::Map(_) => "mappings",
        Shape::List(_) => "lists",
        _ => "values",
    }
}

/// What a field is, as Markdown: meaning, type, whether it must be there, whether it is enforced.
pub(crate) fn describe(field: &Field) -> String {
    let mut out = field.doc.to_owned();
    out.push_str(&format!("\n\nType: {}.", type_name(&field.shape)));
    if field.required {
        out.push_str(" Required.");
    }
    if field.defaulted {
        out.push_str(" The API server fills it in.");
    }
    if let Some(status) = status(field) {
        out.push_str(&format!("\n\n{status}"));
    }
    out
}

fn status(field: &Field) -> Option<&'static str> {
    match field.status {
        _ if field.removed => Some("Only older versions of the API have it."),
        Status::Supported => None,
        Status::NoEffect => Some("No verdict depends on it."),
        Status::NotYet => Some("Not enforced yet: refused with a reason where it would have an effect."),
    }
}

/// The fields of a shape that exclude each other, where one of them is there already.
pub(crate) fn excluded(shape: &Shape, there: &[String]) -> Vec<&'static str> {
    let Shape::Object(of) = shape else { return Vec::new() };
    let groups = of.choices.iter().filter_map(|choice| match choice {
        schema::Choice::OneOf(names) | schema::Choice::NewOneOf(names) => Some(*names),
        schema::Choice::AnyOf(_) => None,
    });
    let taken = groups.filter(|names| names.iter().any(|name| there.iter().any(|it| it == name)));
    taken.flatten().copied().collect()
}
