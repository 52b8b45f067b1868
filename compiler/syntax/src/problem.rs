//! What can be wrong with a text as YAML. Wording belongs to `checks`.

use source::Span;

/// One fault of a text. Each is an error: the document that holds it must not be enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The bytes to blame.
    pub span: Span,
    /// A second place that explains: the first of two equal keys, the anchor of an alias, or where
    /// the parser gave up when `span` names the line that made it do so.
    pub related: Option<Span>,
}

/// The kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The text is not YAML.
    Syntax {
        /// What the parser said, lower case, one line.
        message: String,
    },
    /// A tab indents a block, which YAML forbids.
    Tab,
    /// A character that YAML forbids, such as NUL.
    ControlCharacter {
        /// The character.
        character: char,
    },
    /// A key stands twice in one mapping; the last one counts. `related` is the one before.
    DuplicateKey {
        /// The key as JSON names it.
        key: String,
    },
    /// A key that has no JSON form: null, a sequence or a mapping.
    NonStringKey,
    /// An alias names no anchor before it in its document; its value reads as null.
    UnknownAnchor {
        /// The name without `*`.
        name: String,
    },
    /// An alias stands inside the value that it names; it reads as null.
    RecursiveAlias,
    /// `<<` with a value that is neither a mapping nor a sequence of mappings; it is left out.
    BadMerge,
    /// An explicit tag and its value do not fit, as in `!!int web`, or the tag is `!!binary`, which is
    /// not decoded; the value reads as its text.
    TagMismatch {
        /// The tag as `!!int`.
        tag: String,
    },
    /// A number that JSON cannot hold: `.inf` or `.nan`.
    NotJson,
    /// Template syntax (`{{ … }}`) stands where a value should be: the file was not rendered.
    /// Such a document gets this problem and no other.
    UnrenderedTemplate,
    /// The text is longer than [`crate::Limits::max_bytes`]; nothing of it was read.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nesting passes [`crate::Limits::max_depth`]; the rest of the document is left out, or the
    /// alias that would pass it reads as null.
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// The text has more than [`crate::Limits::max_nodes`] nodes; the rest was not read.
    TooManyNodes {
        /// The limit in nodes.
        limit: usize,
    },
    /// Aliases repeat more than [`crate::Limits::max_alias_expansion`] nodes; further ones read as
    /// null.
    AliasBomb {
        /// The limit in nodes.
        limit: usize,
    },
}
