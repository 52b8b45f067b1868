//! The tree: nodes in one arena, children in two others, text beside them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use source::Span;

use crate::{Problem, scalar};

/// The number of a node in its tree. Numbers ascend in reading order, parents before children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// One key with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The key; [`Tree::key`] gives its text.
    pub key: NodeId,
    /// The value.
    pub value: NodeId,
}

/// One document of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its value, or `None` when it holds only comments.
    pub root: Option<NodeId>,
    /// All its bytes, from its `---` line to the next, comments before the first value included.
    pub span: Span,
    /// Whether no problem lies in it. What was recovered from an unsound document serves editors;
    /// it must not be enforced.
    pub sound: bool,
}

/// One comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Comment {
    /// From `#` to the end of the line, line break excluded.
    pub span: Span,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes; also an absent value.
    Plain,
    /// `'text'`.
    SingleQuoted,
    /// `"text"`.
    DoubleQuoted,
    /// `|`, line breaks kept.
    Literal,
    /// `>`, line breaks folded.
    Folded,
    /// `{…}` or `[…]`.
    Flow,
    /// A mapping or sequence by indentation.
    Block,
    /// `*name`.
    Alias,
}

/// What a node means, aliases followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'t> {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean of YAML 1.1: `true`, `yes`, `on`, `y` and their opposites.
    Bool(bool),
    /// A whole number, however written: `80`, `0x50`, `0120`, `8e1`.
    Int(i64),
    /// A whole number above `i64::MAX`.
    UInt(u64),
    /// Any other number. Never infinite and never NaN.
    Float(f64),
    /// Text.
    Str(&'t str),
    /// Entries in order, merges (`<<`) spliced in at their place, duplicates included.
    Mapping(&'t [Entry]),
    /// Items in order.
    Sequence(&'t [NodeId]),
}

impl Value<'_> {
    /// The word for its type: `null`, `boolean`, `integer`, `number`, `string`, `mapping` or `sequence`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::UInt(_) => "integer",
            Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::Mapping(_) => "mapping",
            Value::Sequence(_) => "sequence",
        }
    }
}

/// What a node holds; texts and children are ranges of the tree's arenas.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// A range of the source text.
    Source(u32, u32),
    /// A range of the decoded text: escapes, folds and blocks are undone there.
    Decoded(u32, u32),
    Mapping(u32, u32),
    Sequence(u32, u32),
    /// Another node, which is no alias.
    Alias(NodeId),
}

// Why: a text of 10 MB has more than a million nodes.
const _: () = assert!(size_of::<Node>() <= 32);

/// One node; children and long texts lie in the arenas of the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub data: Data,
    pub span: Span,
    /// The mapping or sequence around it; its own number for a root.
    pub parent: NodeId,
    pub style: ScalarStyle,
}

/// A parsed text. Cheap to share behind an `Arc`; node numbers are valid in their own tree only.
///
/// Asking with a number of another tree gives `Null` and empty spans, never a panic.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) text: Arc<str>,
    pub(crate) decoded: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) items: Vec<NodeId>,
    /// `<<` entries as written, with the mapping that holds each, ascending.
    pub(crate) merges: Vec<(NodeId, Entry)>,
    pub(crate) documents: Vec<Document>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) problems: Vec<Problem>,
    /// The entries of each long mapping by key, once somebody has asked for one. Empty while the tree is made.
    by_key: OnceLock<BTreeMap<NodeId, Vec<Entry>>>,
}

/// In mappings of more entries keys are found through an index.
const LONG: usize = 64;

impl Tree {
    pub(crate) fn new(text: &str) -> Self {
        Tree {
            text: Arc::from(text),
            decoded: String::new(),
            nodes: Vec::new(),
            entries: Vec::new(),
            items: Vec::new(),
            merges: Vec::new(),
            documents: Vec::new(),
            comments: Vec::new(),
            problems: Vec::new(),
            by_key: OnceLock::new(),
        }
    }

    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Documents in order; one without value (only comments) has no root.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Every comment, ascending.
    #[must_use]
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Every problem, by position.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The document around an offset, also the one to which a problem at that offset belongs.
    #[must_use]
    pub fn document_at(&self, offset: u32) -> Option<&Document> {
        let after = self.documents.partition_point(|d| d.span.start <= offset);
        let document = self.documents.get(after.checked_sub(1)?)?;
        (offset <= document.span.end).then_some(document)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the text holds no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every node in reading order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The value's own bytes, without anchor and tag; of an alias, the alias.
    ///
    /// An absent value has the empty span after its key's colon. Quotes belong to a scalar and
    /// brackets to a flow collection; a block collection reaches from its first key or dash to
    /// the end of its last value.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Span {
        self.node(id).map_or(Span::default(), |node| node.span)
    }

    /// How the node is written.
    #[must_use]
    pub fn style(&self, id: NodeId) -> ScalarStyle {
        self.node(id).map_or(ScalarStyle::Plain, |node| node.style)
    }

    /// The source text of the node's span.
    #[must_use]
    pub fn raw(&self, id: NodeId) -> &str {
        self.span(id).slice(&self.text)
    }

    /// The mapping or sequence that directly holds this node, `None` for a root.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        let parent = self.node(id)?.parent;
        (parent != id).then_some(parent)
    }

    /// The node that an alias names; any other node itself.
    #[must_use]
    pub fn target(&self, id: NodeId) -> NodeId {
        match self.node(id).map(|node| node.data) {
            Some(Data::Alias(target)) => target,
            _ => id,
        }
    }

    /// What the node means.
    #[must_use]
    pub fn value(&self, id: NodeId) -> Value<'_> {
        let Some(node) = self.node(self.target(id)) else {
            return Value::Null;
        };
        match node.data {
            Data::Null | Data::Alias(_) => Value::Null,
            Data::Bool(value) => Value::Bool(value),
            Data::Int(value) => Value::Int(value),
            Data::UInt(value) => Value::UInt(value),
            Data::Float(value) => Value::Float(value),
            Data::Source(start, end) => Value::Str(Span { start, end }.slice(&self.text)),
            Data::Decoded(start, end) => Value::Str(Span { start, end }.slice(&self.decoded)),
            Data::Mapping(start, end) => Value::Mapping(range(&self.entries, start, end)),
            Data::Sequence(start, end) => Value::Sequence(range(&self.items, start, end)),
        }
    }

    /// Entries of a mapping in order, merges spliced in, duplicates included; empty for all else.
    #[must_use]
    pub fn entries(&self, map: NodeId) -> &[Entry] {
        match self.value(map) {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a sequence; empty for all else.
    #[must_use]
    pub fn items(&self, sequence: NodeId) -> &[NodeId] {
        match self.value(sequence) {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The `<<` entries of a mapping as they are written; usually none.
    pub fn merges(&self, map: NodeId) -> impl Iterator<Item = Entry> + '_ {
        let map = self.target(map);
        let first = self.merges.partition_point(|(owner, _)| *owner < map);
        let rest = self.merges[first..].iter();
        rest.take_while(move |(owner, _)| *owner == map).map(|(_, entry)| *entry)
    }

    /// The entry of a key in its JSON form; the last one where a key stands twice.
    ///
    /// Cost: logarithmic in the mapping, once all long mappings of the text are sorted. Why: whoever words the problems of an object
    /// asks for each of its keys.
    #[must_use]
    pub fn get(&self, map: NodeId, key: &str) -> Option<Entry> {
        let entries = self.entries(map);
        if entries.len() <= LONG {
            return entries.iter().rev().find(|entry| self.key_is(entry.key, key)).copied();
        }
        let sorted = self.by_key.get_or_init(|| self.sorted()).get(&self.target(map))?;
        let behind = sorted.partition_point(|entry| *self.key(entry.key) <= *key);
        sorted[..behind].last().filter(|entry| self.key_is(entry.key, key)).copied()
    }

    /// Whether [`Tree::key`] gives this text. Most keys are plain words, which are compared where they stand.
    #[must_use]
    pub fn key_is(&self, key: NodeId, text: &str) -> bool {
        match self.node(key).map(|node| node.data) {
            Some(Data::Source(start, end)) => {
                let bytes = self.text.as_bytes();
                (end - start) as usize == text.len() && bytes.get(start as usize..end as usize) == Some(text.as_bytes())
            }
            _ => self.key(key) == text,
        }
    }

    /// The entries of every long mapping by key; those of one key in their order.
    fn sorted(&self) -> BTreeMap<NodeId, Vec<Entry>> {
        let all = (0..self.nodes.len() as u32).map(NodeId);
        let of_long = |map: NodeId| match self.nodes[map.0 as usize].data {
            Data::Mapping(start, end) if (end - start) as usize > LONG => {
                let mut entries = self.entries(map).to_vec();
                entries.sort_by(|a, b| self.key(a.key).cmp(&self.key(b.key)));
                Some((map, entries))
            }
            _ => None,
        };
        all.filter_map(of_long).collect()
    }

    /// The name of a key in JSON: `yes` is `true`, `010` is `8`. A key that JSON cannot name (null, a
    /// sequence, a mapping) gives its source text.
    #[must_use]
    pub fn key(&self, key: NodeId) -> Cow<'_, str> {
        self.json_key(key).unwrap_or_else(|| Cow::Borrowed(self.raw(key)))
    }

    pub(crate) fn json_key(&self, key: NodeId) -> Option<Cow<'_, str>> {
        Some(match self.value(key) {
            Value::Str(text) => Cow::Borrowed(text),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
                let text = self.raw(self.target(key)).trim_matches(['"', '\'']);
                Cow::Owned(scalar::number_key(text)?)
            }
            Value::Null | Value::Mapping(_) | Value::Sequence(_) => return None,
        })
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}

fn range<T>(items: &[T], start: u32, end: u32) -> &[T] {
    items.get(start as usize..end as usize).unwrap_or(&[])
}
