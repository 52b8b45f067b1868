//! The walk that compares an object with the schema of its kind.
//!
//! Source of the order and of what is reported: `apiextensions-apiserver` and `kube-openapi/pkg/validation` for custom kinds, the strict
//! JSON decoder of `sigs.k8s.io/json` for built-in ones.

use std::collections::HashMap;

use facts::read::At;
use syntax::Value;

use super::glance::Glance;
use super::rule::places;
use super::{Choice, ENVELOPE, Field, List, Object, Rule, Schema, Shape, Text, Unique, Whole, object};
use crate::problem::{Consequence, Form, Problem, ProblemKind, Stage};

/// Who reads the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The API server's own types: a value of a wrong type cannot be decoded, null is the same as absent anywhere, and what values may
    /// be is checked by code of its own.
    BuiltIn,
    /// A published definition: its schema and its rules.
    Custom,
}

/// One comparison.
#[derive(Clone, Copy)]
struct Walk {
    source: Source,
    /// Whether fields that the newest API has dropped exist.
    with_removed: bool,
}

/// Compares an object with the fields and rules of its kind. Every difference is reported, not only the first; rules are asked only when
/// nothing that the API server asks before them has failed.
///
/// `with_removed`: whether fields that the newest API has dropped exist.
pub fn check(root: &At<'_>, of: &Schema, with_removed: bool, problems: &mut Vec<Problem>) {
    let Shape::Object(object) = object(of.fields) else { return };
    let walk = Walk { source: of.source, with_removed };
    if !walk.glance(root).fits_root(root.node(), &object) {
        walk.all(root, &object, problems);
    } else {
        debug_assert_eq!(said(|problems| walk.all(root, &object, problems)), [], "a quick look has missed these");
    }
    if !problems.iter().any(|it| blocks(&it.kind)) {
        ask(root, of.rules, problems);
    }
}

/// Compares a part of an object, such as its `metadata`, with known fields.
pub(crate) fn check_part(at: &At<'_>, shape: &Shape, source: Source, problems: &mut Vec<Problem>) {
    let walk = Walk { source, with_removed: true };
    let careful = |problems: &mut Vec<Problem>| {
        walk.unknown(at, shape, problems);
        walk.value(at, shape, problems);
    };
    if !walk.glance(at).fits(at.node(), shape) {
        careful(problems);
    } else {
        debug_assert_eq!(said(careful), [], "a quick look has missed these");
    }
}

/// What a walk says.
fn said(walk: impl FnOnce(&mut Vec<Problem>)) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk(&mut problems);
    problems
}

/// Whether a problem keeps the API server from asking rules. Source: `hasBlockingErr` of apiextensions-apiserver.
pub fn blocks(kind: &ProblemKind) -> bool {
    match kind {
        ProblemKind::Missing { .. } | ProblemKind::WrongType { .. } | ProblemKind::NotOneOf { .. } => true,
        ProblemKind::NoName | ProblemKind::TooMany { .. } | ProblemKind::TooLong { .. } => true,
        ProblemKind::NoneOf { .. } | ProblemKind::TooManyFields { .. } => true,
        ProblemKind::BadForm { wanted, .. } => matches!(wanted, Form::Cidr | Form::Format(_)),
        _ => false,
    }
}

fn ask(root: &At<'_>, rules: &[Rule], problems: &mut Vec<Problem>) {
    for rule in rules {
        let broken = rule.at.iter().flat_map(|path| places(root, path)).filter(|at| !(rule.holds)(at));
        problems.extend(broken.map(|at| {
            let kind = ProblemKind::RuleBroken { name: rule.name, says: rule.says };
            Problem::new(&at.path(), Stage::Schema, Consequence::Rejected, kind)
        }));
    }
}

impl Walk {
    fn glance<'t>(self, at: &At<'t>) -> Glance<'t> {
        Glance { tree: at.tree(), source: self.source, with_removed: self.with_removed }
    }

    /// Compares a whole object, but for its envelope.
    fn all(self, root: &At<'_>, object: &Object, problems: &mut Vec<Problem>) {
        for (name, value) in root.entries().into_iter().filter(|(name, _)| !ENVELOPE.contains(&&**name)) {
            match self.field(object, &name) {
                Some(field) => self.unknown(&value, &field.shape, problems),
                None => problems.push(self.unknown_field(&value, &name, object.fields)),
            }
        }
        self.object(root, object, problems);
    }

    /// Reports every field that the shape does not know, wherever it stands; its members are not looked into.
    fn unknown(self, at: &At<'_>, shape: &Shape, problems: &mut Vec<Problem>) {
        match (shape, at.value()) {
            (Shape::Free | Shape::Open, _) => {}
            (Shape::Object(object), Value::Mapping(_)) => {
                for (name, value) in at.entries() {
                    match self.field(object, &name) {
                        Some(field) => self.unknown(&value, &field.shape, problems),
                        None => problems.push(self.unknown_field(&value, &name, object.fields)),
                    }
                }
            }
            (Shape::Map(of), Value::Mapping(_)) => {
                at.entries().iter().for_each(|(_, value)| self.unknown(value, of, problems));
            }
            (Shape::List(list), Value::Sequence(_)) => {
                at.items().for_each(|item| self.unknown(&item, list.of, problems));
            }
            // Why: what stands where its shape knows no fields is looked into all the same, and loses every field.
            (_, Value::Sequence(_)) if self.source == Source::Custom => {
                at.items().for_each(|item| self.unknown(&item, &Shape::Flag, problems));
            }
            (_, Value::Mapping(_)) if self.source == Source::Custom => {
                problems.extend(at.entries().into_iter().map(|(name, value)| self.unknown_field(&value, &name, &[])));
            }
            _ => {}
        }
    }

    fn unknown_field(self, at: &At<'_>, name: &str, fields: &'static [Field]) -> Problem {
        let known = fields.iter().filter(|field| self.knows(field)).map(|field| field.name).collect();
        let kind = ProblemKind::UnknownField { name: name.to_owned(), known };
        Problem::new(&at.path(), Stage::Schema, Consequence::Dropped, kind)
    }

    fn knows(self, field: &Field) -> bool {
        self.with_removed || !field.removed
    }

    fn field(self, object: &Object, name: &str) -> Option<&'static Field> {
        object.fields.iter().find(|field| field.name == name && self.knows(field))
    }

    /// Compares one value. Null inside a list is a value of no type; elsewhere it has been taken for absent before.
    fn value(self, at: &At<'_>, shape: &Shape, problems: &mut Vec<Problem>) {
        let found = at.value();
        match (shape, found) {
            (Shape::Free, _) | (Shape::Open, Value::Mapping(_)) | (Shape::Flag, Value::Bool(_)) => {}
            (_, Value::Null) if self.source == Source::BuiltIn => {}
            (Shape::Text(limits) | Shape::WholeOrText(limits), Value::Str(text)) => {
                self.text(at, text, limits, problems)
            }
            // Why: the API server looks at the type of a text with a format only where it is neither text nor list.
            (Shape::Text(Text { format: Some(_), .. }), Value::Sequence(_)) if self.source == Source::Custom => {}
            (Shape::WholeOrText(_), Value::Int(number)) => self.whole(at, number, &NUMBER, problems),
            (Shape::Word(allowed), Value::Str(word)) => {
                if !allowed.contains(&word) {
                    problems.push(self.refused(at, ProblemKind::NotOneOf { found: word.to_owned(), allowed }));
                }
            }
            (Shape::Whole(limits), Value::Int(number)) => self.whole(at, number, limits, problems),
            (Shape::Object(object), Value::Mapping(_)) => self.object(at, object, problems),
            (Shape::Map(of), Value::Mapping(_)) => {
                let present = at.entries().into_iter().filter(|(_, value)| !matches!(value.value(), Value::Null));
                present.for_each(|(_, value)| self.value(&value, of, problems));
            }
            (Shape::List(list), Value::Sequence(_)) => self.list(at, list, problems),
            _ => {
                let kind = ProblemKind::WrongType { wanted: wanted(shape), found: found.kind() };
                problems.push(self.refused(at, kind));
            }
        }
    }

    fn refused(self, at: &At<'_>, kind: ProblemKind) -> Problem {
        let stage = match self.source {
            Source::BuiltIn => Stage::Decode,
            Source::Custom => Stage::Schema,
        };
        Problem::new(&at.path(), stage, Consequence::Rejected, kind)
    }

    fn text(self, at: &At<'_>, text: &str, limits: &Text, problems: &mut Vec<Problem>) {
        let found = text.chars().count();
        if found > limits.most {
            return problems.push(self.refused(at, ProblemKind::TooLong { found, limit: limits.most }));
        }
        if found < limits.least {
            return problems.push(self.refused(at, ProblemKind::TooShort { found, limit: limits.least }));
        }
        let bad = |wanted: Form| ProblemKind::BadForm { found: text.to_owned(), wanted };
        if let Some(pattern) = limits.pattern.filter(|pattern| !(pattern.is_in)(text)) {
            problems.push(self.refused(at, bad(pattern.form)));
        }
        if let Some(format) = limits.format.filter(|format| !format.accepts(text)) {
            problems.push(self.refused(at, bad(format.form())));
        }
    }

    fn whole(self, at: &At<'_>, number: i64, limits: &Whole, problems: &mut Vec<Problem>) {
        let (least, greatest) = (i64::from(i32::MIN), i64::from(i32::MAX));
        if number < limits.least || number > limits.greatest {
            let kind = ProblemKind::OutOfRange { found: number, least: limits.least, greatest: limits.greatest };
            problems.push(self.refused(at, kind));
        } else if (limits.narrow || self.source == Source::BuiltIn && limits == &NUMBER)
            && !(least..=greatest).contains(&number)
        {
            let kind = ProblemKind::OutOfRange { found: number, least, greatest };
            // Why: this refusal names its field only in its words.
            problems.push(self.refused(at, kind).without_field());
        }
    }

    fn object(self, at: &At<'_>, object: &Object, problems: &mut Vec<Problem>) {
        for choice in object.choices {
            self.choice(at, object, choice, problems);
        }
        let is_there = |field: &&Field| field.defaulted || at.get(field.name).is_some();
        let found = object.fields.iter().filter(|field| self.knows(field)).filter(is_there).count();
        if found < object.least {
            let kind = ProblemKind::TooFewFields { found, limit: object.least };
            return problems.push(self.refused(at, kind));
        }
        if found > object.most {
            let kind = ProblemKind::TooManyFields { found, limit: object.most };
            return problems.push(self.refused(at, kind));
        }
        // Why: of two fields of one name the first that this API has is meant.
        let is_meant = |field: &&Field| self.field(object, field.name).is_some_and(|meant| std::ptr::eq(meant, *field));
        for field in object.fields.iter().filter(is_meant) {
            match at.get(field.name) {
                Some(value) => self.value(&value, &field.shape, problems),
                None if field.required && !field.defaulted => {
                    problems.push(self.refused(at, ProblemKind::Missing { name: field.name }));
                }
                None => {}
            }
        }
    }

    fn choice(self, at: &At<'_>, object: &Object, choice: &Choice, problems: &mut Vec<Problem>) {
        let (Choice::OneOf(of) | Choice::AnyOf(of) | Choice::NewOneOf(of)) = choice;
        if matches!(choice, Choice::NewOneOf(_)) && self.with_removed {
            return;
        }
        let is_there = |name: &&&str| self.field(object, name).is_some() && at.get(name).is_some();
        // Why: what an older API had beside the choice stood for it there.
        let stands_in = |field: &Field| field.removed && self.knows(field) && at.get(field.name).is_some();
        match (of.iter().filter(is_there).count(), choice) {
            (0, _) if object.fields.iter().any(stands_in) => {}
            (0, _) => problems.push(self.refused(at, ProblemKind::NoneOf { of })),
            (1, _) | (_, Choice::AnyOf(_)) => {}
            (_, Choice::OneOf(_) | Choice::NewOneOf(_)) => {
                problems.push(self.refused(at, ProblemKind::NotExactlyOne { of }).without_field());
            }
        }
    }

    fn list(self, at: &At<'_>, list: &List, problems: &mut Vec<Problem>) {
        let items: Vec<At<'_>> = at.items().collect();
        items.iter().for_each(|item| self.value(item, list.of, problems));
        let found = items.len();
        if found < list.least {
            problems.push(self.refused(at, ProblemKind::TooFew { found, limit: list.least }));
        }
        if found > list.most {
            problems.push(self.refused(at, ProblemKind::TooMany { found, limit: list.most }));
        }
        for item in duplicates(&items, list.unique) {
            problems.push(self.refused(item, ProblemKind::Duplicate));
        }
    }
}

/// The members of a list that should differ from an earlier one and do not. Of several that are equal, the API server names the second
/// only.
pub(super) fn duplicates<'i, 't>(items: &'i [At<'t>], unique: Unique) -> Vec<&'i At<'t>> {
    let keys: &[&str] = match unique {
        Unique::No => return Vec::new(),
        Unique::Whole => &[],
        Unique::By(keys) => keys,
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    let repeats = items.iter().filter(|item| {
        let same = match keys {
            [] => canonical(item),
            keys if matches!(item.value(), Value::Mapping(_)) => {
                keys.iter().map(|key| item.get(key).map_or(String::new(), |it| canonical(&it)) + "\n").collect()
            }
            _ => return false,
        };
        let times = seen.entry(same).or_default();
        *times += 1;
        *times == 2
    });
    repeats.collect()
}

/// The limits of a number that may also be a text.
pub(super) const NUMBER: Whole = Whole { least: i64::MIN, greatest: i64::MAX, narrow: false };

fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) | Shape::Word(_) => "string",
        Shape::Whole(_) => "integer",
        Shape::Flag => "boolean",
        Shape::WholeOrText(_) => "integer or string",
        Shape::Object(_) | Shape::Map(_) | Shape::Open | Shape::Free => "mapping",
        Shape::List(_) => "sequence",
    }
}

/// A value as text, the same for equal values.
fn canonical(at: &At<'_>) -> String {
    match at.value() {
        Value::Mapping(_) => {
            let mut entries = at.entries();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let texts = entries.iter().map(|(key, value)| format!("{key:?}:{}", canonical(value)));
            format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
        }
        Value::Sequence(_) => format!("[{}]", at.items().map(|it| canonical(&it)).collect::<Vec<_>>().join(",")),
        Value::Str(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
