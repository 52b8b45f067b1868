//! What may be written at the cursor.
//!
//! ```text
//!  cursor ─┬─ a key of a mapping of fields ──► fields
//!          ├─ a key or value of a selector ──► labels of those whom the selector is about
//!          ├─ a value ──► names of the workspace, or words of the schema
//!          └─ nothing yet ──► whole policies
//! ```

mod fields;
mod labels;
mod names;
mod population;
pub(crate) mod snippets;
mod words;

use driver::{Database, Db};
use kinds::schema::Shape;
use source::Span;

use crate::At;
use crate::cursor::{Cursor, Place};
use crate::shape;

/// One thing that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is shown.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// A few words beside it: a type, a count.
    pub detail: String,
    /// What it means. Markdown; may be empty.
    pub documentation: String,
    /// The bytes that it takes the place of.
    pub span: Span,
    /// What is written. Its lines after the first carry their whole indentation: it is inserted as it stands.
    pub insert: String,
    /// Whether `insert` has the places of a snippet (`$1`, `${1:word}`, `$0`), with `$`, `}` and `\` of texts escaped.
    pub is_snippet: bool,
    /// By what items are ordered.
    pub sort: String,
    /// Whether newer versions do not have it.
    pub deprecated: bool,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A field of the schema.
    Field,
    /// A word of a fixed set.
    Word,
    /// The key of a label.
    LabelKey,
    /// The value of a label.
    LabelValue,
    /// A namespace.
    Namespace,
    /// An object by its name.
    Object,
    /// A port, by number or name.
    Port,
    /// A name of DNS.
    Name,
    /// A block of addresses.
    Address,
    /// Several lines at once.
    Snippet,
}

/// What may be written at a place, in the order of [`Item::sort`]; empty in comments and where nothing is known.
pub fn complete(db: &Database, at: At) -> Vec<Item> {
    let Some(text) = at.file.text(db) else { return Vec::new() };
    let Some(cursor) = Cursor::new(&text, at.offset, db.syntax_limits()) else { return Vec::new() };
    let site = Site::new(db, &cursor);
    let mut items = match cursor.place {
        Place::Key => fields::keys(&site),
        Place::Start => [snippets::items(&site), fields::starts(&site)].concat(),
        Place::Value => values(&site),
    };
    items.extend(labels::items(&site));
    items.sort_by(|a, b| a.sort.cmp(&b.sort).then_with(|| a.label.cmp(&b.label)));
    items.dedup_by(|a, b| a.label == b.label);
    items
}

/// What all that completes looks at.
pub(crate) struct Site<'a> {
    pub db: &'a Database,
    pub cursor: &'a Cursor,
    pub kind: Option<&'static kinds::Kind>,
}

impl<'a> Site<'a> {
    fn new(db: &'a Database, cursor: &'a Cursor) -> Site<'a> {
        let kind = shape::kind(cursor.text("apiVersion").unwrap_or_default(), cursor.text("kind").unwrap_or_default());
        Site { db, cursor, kind }
    }

    /// The namespace of the object.
    pub fn namespace(&self) -> &str {
        self.cursor.text("metadata.namespace").unwrap_or_else(|| self.db.project().namespace(self.db))
    }

    /// An item that writes a word as it is.
    pub fn word(&self, word: &str, kind: ItemKind, detail: impl Into<String>) -> Item {
        let insert = format!("{}{}", self.cursor.glue, self.written(word));
        Item {
            label: word.to_owned(),
            kind,
            detail: detail.into(),
            documentation: String::new(),
            span: self.cursor.span,
            insert,
            is_snippet: false,
            sort: format!("5{word}"),
            deprecated: false,
        }
    }

    /// A text as YAML reads it back: in quotes where it would be something else.
    fn written(&self, word: &str) -> String {
        match self.cursor.quoted || is_plain(word) {
            true => word.to_owned(),
            false => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// Selectors on the line of their key: that of everybody, and one of a label.
fn selectors(site: &Site<'_>) -> Vec<Item> {
    let of = |sort: &str, label: &str, detail: &str, insert: &str| Item {
        sort: sort.into(),
        insert: format!("{}{insert}", site.cursor.glue),
        is_snippet: insert.contains('$'),
        ..Item { label: label.into(), ..site.word(label, ItemKind::Word, detail) }
    };
    vec![of("1", "{}", "everybody", "{}"), of("2", "{matchLabels: …}", "by labels", "{matchLabels: {$1: $2\\}\\}")]
}

/// Whether a text is read as that text without quotes.
pub(crate) fn is_plain(word: &str) -> bool {
    let tree = syntax::parse(word, &syntax::Limits::default());
    let root = tree.documents().first().and_then(|it| it.root);
    let is_same = root.is_some_and(|root| matches!(tree.value(root), syntax::Value::Str(text) if text == word));
    is_same && !word.contains([',', '[', ']', '{', '}', '#']) && tree.problems().is_empty()
}

fn values(site: &Site<'_>) -> Vec<Item> {
    let Some(known) = shape::walk(site.kind, &site.cursor.path) else { return Vec::new() };
    let names = names::items(site, known);
    if !names.is_empty() {
        return names;
    }
    match known.shape {
        // Why: between brackets, `[` is still to come.
        Shape::List(of) => words::of_shape(site, of.of, known.field),
        Shape::Object(of) if of.fields.iter().any(|it| it.name == "matchLabels") => selectors(site),
        shape => words::of_shape(site, &shape, known.field),
    }
}
