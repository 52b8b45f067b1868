//! Schemas of kinds as data that people can read, and the walk that compares an object with one as the API server does.
//!
//! ```text
//!  Field ─► Shape ─┬─ Text, Word, Whole, Flag, WholeOrText     a scalar with its limits
//!                  ├─ Object { fields, choices, … }            known fields, and which of them exclude each other
//!                  ├─ List { of, … }, Map { of }               members of one shape
//!                  └─ Open, Free                               not looked into
//!  Rule ─► what no shape can say: a place, a condition, words
//! ```

pub mod format;
mod glance;
pub mod rule;
mod text;
mod walk;

pub use format::Format;
pub use rule::Rule;
pub(crate) use text::pattern;
pub use text::{Pattern, Text};
pub(crate) use walk::check_part;
pub use walk::{Source, blocks, check};

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
    /// Whether the API server fills it in where it is missing, before it validates.
    pub defaulted: bool,
    /// Whether the newest API does not have it any more.
    pub removed: bool,
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

impl Field {
    /// A field that is enforced.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Field {
        Field { name, shape, doc, status: Status::Supported, required: false, defaulted: false, removed: false }
    }

    /// This field, which must be there.
    pub const fn required(self) -> Field {
        Field { required: true, ..self }
    }

    /// This field, which the API server fills in.
    pub const fn defaulted(self) -> Field {
        Field { defaulted: true, ..self }
    }

    /// This field, which nothing depends on.
    pub const fn no_effect(self) -> Field {
        Field { status: Status::NoEffect, ..self }
    }

    /// This field, which is not enforced yet.
    pub const fn not_yet(self) -> Field {
        Field { status: Status::NotYet, ..self }
    }

    /// This field, which only older versions of the API have.
    pub const fn removed(self) -> Field {
        Field { removed: true, ..self }
    }
}

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text. [`TEXT`] is any.
    Text(Text),
    /// One of some words.
    Word(&'static [&'static str]),
    /// A whole number.
    Whole(Whole),
    /// A truth value.
    Flag,
    /// A number or a text; the limits are the text's.
    WholeOrText(Text),
    /// A mapping with known fields.
    Object(Object),
    /// A list.
    List(List),
    /// A mapping from any key to values of one shape.
    Map(&'static Shape),
    /// A mapping that is not looked into.
    Open,
    /// Anything; not looked into.
    Free,
}

/// A whole number between two ends, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The least.
    pub least: i64,
    /// The greatest.
    pub greatest: i64,
    /// Whether the API holds it in 32 bits, which refuses a greater number without naming the field.
    pub narrow: bool,
}

/// A mapping with known fields.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The fields.
    pub fields: &'static [Field],
    /// How many of them must be there.
    pub least: usize,
    /// How many of them may be there.
    pub most: usize,
    /// Which of them exclude, or stand in for, each other.
    pub choices: &'static [Choice],
}

/// Fields of which some must be there.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// Exactly one of them.
    OneOf(&'static [&'static str]),
    /// At least one of them.
    AnyOf(&'static [&'static str]),
    /// Exactly one of them, since the newest API; older ones leave it to whoever reads the object.
    NewOneOf(&'static [&'static str]),
}

/// A list.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// What each member may hold.
    pub of: &'static Shape,
    /// How many there must be.
    pub least: usize,
    /// How many there may be.
    pub most: usize,
    /// Which members must differ.
    pub unique: Unique,
}

/// In what the members of a list must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// In nothing.
    No,
    /// As a whole.
    Whole,
    /// In these fields taken together.
    By(&'static [&'static str]),
}

/// Any text.
pub const TEXT: Shape = Shape::Text(Text::ANY);

/// A whole number of 64 bits, both ends included.
pub const fn whole(least: i64, greatest: i64) -> Shape {
    Shape::Whole(Whole { least, greatest, narrow: false })
}

/// A whole number of 32 bits, both ends included.
pub const fn whole32(least: i64, greatest: i64) -> Shape {
    Shape::Whole(Whole { least, greatest, narrow: true })
}

/// Any whole number of 32 bits.
pub const WHOLE32: Shape = whole32(i64::MIN, i64::MAX);

/// Any whole number.
pub const WHOLE: Shape = whole(i64::MIN, i64::MAX);

/// A number or any text.
pub const WHOLE_OR_TEXT: Shape = Shape::WholeOrText(Text::ANY);

/// A mapping with known fields.
pub const fn object(fields: &'static [Field]) -> Shape {
    Shape::Object(Object { fields, least: 0, most: usize::MAX, choices: &[] })
}

/// A list of any length.
pub const fn list(of: &'static Shape) -> Shape {
    Shape::List(List { of, least: 0, most: usize::MAX, unique: Unique::No })
}

/// A mapping from any key.
pub const fn map(of: &'static Shape) -> Shape {
    Shape::Map(of)
}

/// Limits, by which tables read like sentences: `list(&TEXT.most(63)).least(1).unique()`. A limit that a shape does not know does not
/// compile in a table.
impl Shape {
    /// At least so many characters, members or fields.
    pub const fn least(self, least: usize) -> Shape {
        match self {
            Shape::Text(text) => Shape::Text(Text { least, ..text }),
            Shape::List(list) => Shape::List(List { least, ..list }),
            Shape::Object(object) => Shape::Object(Object { least, ..object }),
            _ => panic!("only texts, lists and objects have a least size"),
        }
    }

    /// At most so many characters, members or fields.
    pub const fn most(self, most: usize) -> Shape {
        match self {
            Shape::Text(text) => Shape::Text(Text { most, ..text }),
            Shape::List(list) => Shape::List(List { most, ..list }),
            Shape::Object(object) => Shape::Object(Object { most, ..object }),
            _ => panic!("only texts, lists and objects have a greatest size"),
        }
    }

    /// A text, or the text of a number or text, that matches a pattern.
    pub const fn like(self, pattern: Pattern) -> Shape {
        match self {
            Shape::Text(text) => Shape::Text(Text { pattern: Some(pattern), ..text }),
            Shape::WholeOrText(text) => Shape::WholeOrText(Text { pattern: Some(pattern), ..text }),
            _ => panic!("only texts have a pattern"),
        }
    }

    /// A text of a format.
    pub const fn format(self, format: Format) -> Shape {
        match self {
            Shape::Text(text) => Shape::Text(Text { format: Some(format), ..text }),
            _ => panic!("only texts have a format"),
        }
    }

    /// A list whose members all differ.
    pub const fn unique(self) -> Shape {
        match self {
            Shape::List(list) => Shape::List(List { unique: Unique::Whole, ..list }),
            _ => panic!("only lists have members"),
        }
    }

    /// A list whose members differ in these fields taken together.
    pub const fn unique_by(self, keys: &'static [&'static str]) -> Shape {
        match self {
            Shape::List(list) => Shape::List(List { unique: Unique::By(keys), ..list }),
            _ => panic!("only lists have members"),
        }
    }

    /// An object with choices between its fields.
    pub const fn choose(self, choices: &'static [Choice]) -> Shape {
        match self {
            Shape::Object(object) => Shape::Object(Object { choices, ..object }),
            _ => panic!("only objects have fields"),
        }
    }

    /// The known fields of an object, or of the members of lists and maps of objects; none for anything else.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Shape::Object(object) => object.fields,
            Shape::List(list) => list.of.fields(),
            Shape::Map(of) => of.fields(),
            _ => &[],
        }
    }
}

/// What an object of a kind may hold.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its fields beside [`ENVELOPE`].
    pub fields: &'static [Field],
    /// What no shape can say.
    pub rules: &'static [Rule],
    /// Who reads its objects.
    pub source: Source,
}

/// The fields that every kind has. `metadata` has a table of its own.
pub const ENVELOPE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The field of kinds whose objects carry what controllers say of them.
pub const STATUS: Field = Field::new("status", Shape::Free, "Written by controllers; ignored.").no_effect();
