//! Schemas of kinds as data, and the walk that compares an object with one.

use facts::read::At;
use syntax::Value;

use crate::problem::{Consequence, Problem, ProblemKind, Stage};

/// One field of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// How far it is enforced.
    pub status: Status,
    /// Whether it must be there.
    pub required: bool,
}

/// How far a field is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Enforced as it says.
    Supported,
    /// Without effect on verdicts, in a cluster too.
    NoEffect,
    /// Understood and refused with a reason where it would have an effect.
    NotYet,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A whole number, both ends included.
    Whole(i64, i64),
    /// A truth value.
    Flag,
    /// A number or a text.
    WholeOrText,
    /// A mapping with known fields.
    Object(&'static [Field]),
    /// A list, and how long it may be.
    List(&'static Shape, usize),
    /// A mapping from any key.
    Map(&'static Shape),
    /// Anything; not looked into.
    Free,
}

impl Field {
    /// A field that is enforced.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Field {
        Field { name, shape, doc, status: Status::Supported, required: false }
    }

    /// This field, which must be there.
    pub const fn required(self) -> Field {
        Field { required: true, ..self }
    }

    /// This field, which nothing depends on.
    pub const fn no_effect(self) -> Field {
        Field { status: Status::NoEffect, ..self }
    }

    /// This field, which is not enforced yet.
    pub const fn not_yet(self) -> Field {
        Field { status: Status::NotYet, ..self }
    }
}

/// A list of any length.
pub const fn list(of: &'static Shape) -> Shape {
    Shape::List(of, usize::MAX)
}

/// `apiVersion`, `kind`, `metadata` and `status`, which every kind has.
pub const ENVELOPE: [Field; 4] = [
    Field::new("apiVersion", Shape::Text, "Group and version of the kind."),
    Field::new("kind", Shape::Text, "The kind."),
    Field::new("metadata", Shape::Free, "Name, namespace, labels and what else every object has."),
    Field::new("status", Shape::Free, "Written by controllers; ignored.").no_effect(),
];

/// What follows from text that a schema does not allow.
#[derive(Clone, Copy, Debug)]
pub struct Strictness {
    /// Of an unknown field.
    pub unknown_field: Consequence,
    /// Who refuses a value of the wrong type.
    pub types: Stage,
}

/// Compares an object with the fields of its kind. Every difference is reported, not only the first.
pub fn check(at: &At<'_>, fields: &[Field], strictness: Strictness, problems: &mut Vec<Problem>) {
    check_object(at, fields, strictness, problems);
}

fn check_object(at: &At<'_>, fields: &[Field], strictness: Strictness, problems: &mut Vec<Problem>) {
    for (name, value) in at.entries() {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => check_shape(&value, &field.shape, strictness, problems),
            None => problems.push(Problem {
                path: value.path.clone(),
                stage: Stage::Schema,
                consequence: strictness.unknown_field,
                kind: ProblemKind::UnknownField { name, known: fields.iter().map(|field| field.name).collect() },
            }),
        }
    }
    for field in fields.iter().filter(|field| field.required && at.get(field.name).is_none()) {
        problems.push(refused(at, strictness.types, ProblemKind::Missing { name: field.name }));
    }
}

fn check_shape(at: &At<'_>, shape: &Shape, strictness: Strictness, problems: &mut Vec<Problem>) {
    let found = at.value();
    let wanted = match (shape, found) {
        (Shape::Free, _) | (_, Value::Null) => return,
        (Shape::Text, Value::Str(_)) | (Shape::Flag, Value::Bool(_)) => return,
        (Shape::WholeOrText, Value::Str(_) | Value::Int(_)) => return,
        (Shape::Word(allowed), Value::Str(word)) => {
            if !allowed.contains(&word) {
                let kind = ProblemKind::NotOneOf { found: word.to_owned(), allowed };
                problems.push(refused(at, strictness.types, kind));
            }
            return;
        }
        (Shape::Whole(least, greatest), Value::Int(number)) => {
            if number < *least || number > *greatest {
                let kind = ProblemKind::OutOfRange { found: number, least: *least, greatest: *greatest };
                problems.push(refused(at, strictness.types, kind));
            }
            return;
        }
        (Shape::Object(fields), Value::Mapping(_)) => return check_object(at, fields, strictness, problems),
        (Shape::List(of, limit), Value::Sequence(items)) => {
            if items.len() > *limit {
                let kind = ProblemKind::TooMany { found: items.len(), limit: *limit };
                problems.push(refused(at, Stage::Schema, kind));
            }
            for item in at.items() {
                check_shape(&item, of, strictness, problems);
            }
            return;
        }
        (Shape::Map(of), Value::Mapping(_)) => {
            for (_, value) in at.entries() {
                check_shape(&value, of, strictness, problems);
            }
            return;
        }
        (Shape::Text | Shape::Word(_), _) => "string",
        (Shape::Whole(..), _) => "integer",
        (Shape::Flag, _) => "boolean",
        (Shape::WholeOrText, _) => "integer or string",
        (Shape::Object(_) | Shape::Map(_), _) => "mapping",
        (Shape::List(..), _) => "sequence",
    };
    problems.push(refused(at, strictness.types, ProblemKind::WrongType { wanted, found: found.kind() }));
}

fn refused(at: &At<'_>, stage: Stage, kind: ProblemKind) -> Problem {
    Problem { path: at.path.clone(), stage, consequence: Consequence::Rejected, kind }
}
