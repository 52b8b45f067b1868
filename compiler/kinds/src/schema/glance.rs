//! A quick look at an object: whether anything at all is to be said of it. Most objects are right, and for those no places are named and
//! nothing is put into lists; what is not surely right is walked through with care, see [`super::walk`].

use facts::read::At;
use syntax::{Entry, NodeId, Tree, Value};

use super::walk::{NUMBER, Source, duplicates};
use super::{Choice, ENVELOPE, Field, List, Object, Shape, Text, Unique, Whole};

/// One quick look.
///
/// Law: where [`Glance::fits`] is true, the careful walk finds nothing. The other way round it may well find nothing, too.
#[derive(Clone, Copy)]
pub(super) struct Glance<'t> {
    pub tree: &'t Tree,
    pub source: Source,
    /// Whether fields that the newest API has dropped exist.
    pub with_removed: bool,
}

impl<'t> Glance<'t> {
    /// Whether a whole object fits, whose envelope is looked at by others.
    pub fn fits_root(self, node: NodeId, object: &Object) -> bool {
        let Value::Mapping(entries) = self.tree.value(node) else { return false };
        self.object(entries, object, &ENVELOPE)
    }

    /// Whether a value fits.
    pub fn fits(self, node: NodeId, shape: &Shape) -> bool {
        match (shape, self.tree.value(node)) {
            (Shape::Free, _) | (Shape::Open, Value::Mapping(_)) | (Shape::Flag, Value::Bool(_)) => true,
            (_, Value::Null) => self.source == Source::BuiltIn,
            (Shape::Text(limits) | Shape::WholeOrText(limits), Value::Str(text)) => fits_text(text, limits),
            (Shape::WholeOrText(_), Value::Int(number)) => self.fits_whole(number, &NUMBER),
            (Shape::Whole(limits), Value::Int(number)) => self.fits_whole(number, limits),
            (Shape::Word(allowed), Value::Str(word)) => allowed.contains(&word),
            (Shape::Object(object), Value::Mapping(entries)) => self.object(entries, object, &[]),
            (Shape::Map(of), Value::Mapping(entries)) => {
                entries.iter().all(|entry| self.name(entry).is_some() && self.fits_or_null(entry.value, of))
            }
            (Shape::List(list), Value::Sequence(items)) => self.list(items, list),
            _ => false,
        }
    }

    /// Null counts as absent in mappings.
    fn fits_or_null(self, node: NodeId, shape: &Shape) -> bool {
        self.is_null(node) || self.fits(node, shape)
    }

    fn is_null(self, node: NodeId) -> bool {
        matches!(self.tree.value(node), Value::Null)
    }

    /// The name of an entry, unless JSON has none for it.
    fn name(self, entry: &Entry) -> Option<std::borrow::Cow<'t, str>> {
        let named = !matches!(self.tree.value(entry.key), Value::Null | Value::Mapping(_) | Value::Sequence(_));
        named.then(|| self.tree.key(entry.key))
    }

    fn knows(self, field: &Field) -> bool {
        self.with_removed || !field.removed
    }

    fn fits_whole(self, number: i64, limits: &Whole) -> bool {
        let narrow = limits.narrow || self.source == Source::BuiltIn && *limits == NUMBER;
        (limits.least..=limits.greatest).contains(&number) && (!narrow || i32::try_from(number).is_ok())
    }

    fn object(self, entries: &[Entry], object: &Object, beside: &[&str]) -> bool {
        if object.fields.len() > Present::MOST {
            return false;
        }
        let mut present = Present { fields: object.fields, found: 0 };
        for entry in entries {
            let Some(name) = self.name(entry) else { return false };
            let is_it = |field: &Field| field.name == name && self.knows(field);
            match object.fields.iter().position(is_it) {
                // Of a name that stands twice the last counts, also when it says that there is nothing.
                Some(at) if self.is_null(entry.value) => present.found &= !(1 << at),
                Some(at) if self.fits(entry.value, &object.fields[at].shape) => present.found |= 1 << at,
                None if beside.contains(&&*name) => {}
                Some(_) | None => return false,
            }
        }
        let is_missing = |field: &Field| field.required && !field.defaulted && self.knows(field);
        !object.fields.iter().any(|field| is_missing(field) && !present.has(field.name))
            && self.fits_count(object, present)
            && object.choices.iter().all(|choice| self.fits_choice(object, choice, present))
    }

    fn fits_count(self, object: &Object, present: Present) -> bool {
        if object.least == 0 && object.most == usize::MAX {
            return true;
        }
        let known = object.fields.iter().filter(|field| self.knows(field));
        let found = known.filter(|field| field.defaulted || present.has(field.name)).count();
        (object.least..=object.most).contains(&found)
    }

    fn fits_choice(self, object: &Object, choice: &Choice, present: Present) -> bool {
        let (Choice::OneOf(of) | Choice::AnyOf(of) | Choice::NewOneOf(of)) = choice;
        if matches!(choice, Choice::NewOneOf(_)) && self.with_removed {
            return true;
        }
        match (of.iter().filter(|name| present.has(name)).count(), choice) {
            // Why: what an older API had beside the choice stood for it there.
            (0, _) => object.fields.iter().any(|field| field.removed && self.knows(field) && present.has(field.name)),
            (1, _) | (_, Choice::AnyOf(_)) => true,
            (_, Choice::OneOf(_) | Choice::NewOneOf(_)) => false,
        }
    }

    fn list(self, items: &[NodeId], list: &List) -> bool {
        let differ = || {
            let items: Vec<At<'_>> = items.iter().map(|item| At::root(self.tree, *item)).collect();
            duplicates(&items, list.unique).is_empty()
        };
        (list.least..=list.most).contains(&items.len())
            && items.iter().all(|item| self.fits(*item, list.of))
            && (list.unique == Unique::No || items.len() < 2 || differ())
    }
}

fn fits_text(text: &str, limits: &Text) -> bool {
    // A text has no more characters than bytes, so that most need no counting.
    let short = limits.least == 0 && text.len() <= limits.most;
    (short || (limits.least..=limits.most).contains(&text.chars().count()))
        && limits.pattern.is_none_or(|pattern| (pattern.is_in)(text))
        && limits.format.is_none_or(|format| format.accepts(text))
}

/// Which fields of an object are there.
#[derive(Clone, Copy)]
struct Present {
    fields: &'static [Field],
    found: u128,
}

impl Present {
    /// How many fields an object may have.
    const MOST: usize = 128;

    fn has(self, name: &str) -> bool {
        let mut rest = self.found;
        while rest != 0 {
            if self.fields[rest.trailing_zeros() as usize].name == name {
                return true;
            }
            rest &= rest - 1;
        }
        false
    }
}
