//! Where a cursor is, in texts that are not finished: the object, the path of keys, what has been typed.
//!
//! ```text
//!  the document, a word put where the cursor is ──► tree ─┐
//!  the same, cut behind the cursor, brackets closed ─► tree ├─► the word's place in the tree
//!  the lines alone that the cursor is indented below ─► tree ┘
//! ```
//! Each is tried in turn until the word is found, so that whatever is broken elsewhere costs as little as it can.

use source::Span;
use syntax::{Limits, NodeId, Tree, Value};

use crate::outline;

/// What stands for the word that is being typed. No text has it.
const MARK: &str = "zz0cursor0zz";

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(String),
    /// A member of a list.
    Item(usize),
}

/// What the cursor's word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A key of the mapping at the path; the colon follows already.
    Key,
    /// Alone on its line: a key of the mapping at the path whose colon is still to be written, or a value where no mapping belongs.
    Start,
    /// The value at the path.
    Value,
}

/// How the text around the word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// By lines and indentation.
    Block,
    /// Between brackets.
    Flow,
}

/// The cursor in its object.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// From the object to the word: see [`Place`].
    pub path: Vec<Step>,
    pub place: Place,
    pub style: Style,
    /// The word's bytes, without quotes.
    pub span: Span,
    /// The word, as far as it was typed.
    pub word: String,
    /// What has to stand before the word: a space after a colon that has none.
    pub glue: &'static str,
    /// The column of the word, for what is indented below it. Units: bytes.
    pub column: u32,
    /// Whether quotes stand around the word.
    pub quoted: bool,
    tree: Tree,
    root: NodeId,
    holder: Option<NodeId>,
}

impl Cursor {
    /// Finds it. `None` in comments, in texts of several lines, and where nothing can be said.
    pub fn new(text: &str, offset: u32, limits: &Limits) -> Option<Cursor> {
        let offset = floor(text, offset);
        let document = outline::document(text, offset);
        let line = &text[outline::line_start(text, offset)..offset];
        if outline::comment(line).is_some() || line.starts_with("---") {
            return None;
        }
        let word = outline::word(text, offset);
        if !document.covers(word) {
            return None;
        }
        let (start, end) = (word.start as usize, word.end as usize);
        let before = &text[document.start as usize..start];
        let after = &text[end..document.end as usize];
        let rest = after.split(['\n', '\r']).next().unwrap_or_default();
        let lead = &text[outline::line_start(text, start)..start];
        let colon = rest.strip_prefix(':').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        let bare = rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
        let alone = lead.chars().all(|c| c == ' ' || c == '-') && bare && !colon;
        let glue = if word.is_empty() && (lead.ends_with(':') || lead.ends_with('-')) { " " } else { "" };
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let mark = match alone {
            true => format!("{glue}{MARK}:"),
            false => format!("{glue}{MARK}"),
        };
        let cut = || {
            let closed = quote.map(String::from).unwrap_or_default();
            format!("{before}{mark}{closed}{}", outline::closers(before))
        };
        let attempts: [&dyn Fn() -> String; 3] =
            [&|| format!("{before}{mark}{after}"), &cut, &|| outline::ancestors(before, &mark)];
        let (tree, node) = attempts.iter().find_map(|text| found(syntax::parse(&text(), limits)))?;
        let (path, root, is_key) = path(&tree, node)?;
        let (root, inner) = object(&tree, root, &path);
        let style = match outline::closers(before).is_empty() {
            true => Style::Block,
            false => Style::Flow,
        };
        let place = match is_key {
            true if colon => Place::Key,
            true => Place::Start,
            false => Place::Value,
        };
        let holder = tree.parent(node);
        let column = (start - outline::line_start(text, start)) as u32 + glue.len() as u32;
        let path = path[inner..].to_vec();
        let quoted = quote.is_some();
        let typed = text[start..end].to_owned();
        Some(Cursor { path, place, style, span: word, word: typed, glue, column, quoted, tree, root, holder })
    }

    /// The text at a path of the object, such as `metadata.namespace`.
    pub fn text(&self, path: &str) -> Option<&str> {
        text_of(&self.tree, self.tree.find(self.root, path)?)
    }

    /// The text of a key beside the word.
    pub fn beside(&self, key: &str) -> Option<&str> {
        text_of(&self.tree, self.tree.get(self.holder?, key)?.value)
    }

    /// The keys and texts at a path of the object, the cursor's own left out.
    pub fn entries(&self, path: &str) -> Vec<(String, String)> {
        let Some(node) = self.tree.find(self.root, path) else { return Vec::new() };
        let entries = self.tree.entries(node).iter().filter(|entry| !self.tree.raw(entry.key).contains(MARK));
        let texts = entries.filter_map(|it| Some((self.tree.key(it.key).into_owned(), text_of(&self.tree, it.value)?)));
        texts.filter(|(_, text)| !text.contains(MARK)).map(|(key, text)| (key, text.to_owned())).collect()
    }

    /// Whether something stands at a path of the object.
    pub fn has(&self, path: &str) -> bool {
        self.tree.find(self.root, path).is_some()
    }

    /// The keys of the mapping that holds the word, or the texts of the list, without the word itself.
    pub fn siblings(&self) -> Vec<String> {
        let Some(holder) = self.holder else { return Vec::new() };
        let keys = self.tree.entries(holder).iter().map(|entry| self.tree.key(entry.key).into_owned());
        // Behind a dash the word was taken for the one key of a member: its siblings are the other members.
        let around = self.tree.parent(holder).filter(|_| self.place == Place::Start);
        let lists = [Some(holder), around].into_iter().flatten().flat_map(|list| self.tree.items(list));
        let items = lists.filter_map(|item| text_of(&self.tree, *item)).map(str::to_owned);
        keys.chain(items).filter(|it| !it.contains(MARK)).collect()
    }
}

/// A path as text, in the form that trees read.
pub(crate) fn spell(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Item(at) => out.push_str(&format!("[{at}]")),
            Step::Key(key) if key.contains(['.', '[', ']', '"', '/', '\\']) => {
                out.push_str(&format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")));
            }
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => out.push_str(&format!(".{key}")),
        }
    }
    out
}

/// The path of a node from the root of its document, that root, and whether the node is a key: then the path leads to its mapping.
pub(crate) fn path(tree: &Tree, node: NodeId) -> Option<(Vec<Step>, NodeId, bool)> {
    let (mut steps, mut child, mut is_key) = (Vec::new(), node, false);
    while let Some(parent) = tree.parent(child) {
        match tree.value(parent) {
            Value::Mapping(entries) => match entries.iter().find(|it| it.value == child || it.key == child)? {
                entry if entry.key == child && child == node => is_key = true,
                entry if entry.key == child => return None,
                entry => steps.push(Step::Key(tree.key(entry.key).into_owned())),
            },
            Value::Sequence(items) => steps.push(Step::Item(items.iter().position(|item| *item == child)?)),
            _ => return None,
        }
        child = parent;
    }
    steps.reverse();
    Some((steps, child, is_key))
}

/// The object that a path from the root of a document leads into, and how many steps lead to it: members of lists are objects.
pub(crate) fn object(tree: &Tree, root: NodeId, path: &[Step]) -> (NodeId, usize) {
    let is_list = tree.get(root, "kind").and_then(|it| text_of(tree, it.value)).is_some_and(|it| it.ends_with("List"));
    let member = match path {
        [Step::Key(key), Step::Item(at), ..] if is_list && key == "items" => {
            tree.get(root, "items").and_then(|items| tree.items(items.value).get(*at).copied())
        }
        _ => None,
    };
    member.map_or((root, 0), |member| (member, 2))
}

fn text_of(tree: &Tree, node: NodeId) -> Option<&str> {
    match tree.value(node) {
        Value::Str(text) => Some(text),
        Value::Int(_) | Value::UInt(_) | Value::Bool(_) | Value::Float(_) => Some(tree.raw(node)),
        _ => None,
    }
}

/// The tree with the node that is the mark, and nothing else.
fn found(tree: Tree) -> Option<(Tree, NodeId)> {
    let is_mark = |node: &NodeId| tree.raw(*node).trim_matches(['"', '\'']) == MARK;
    let node = tree.nodes().find(is_mark)?;
    Some((tree, node))
}

/// The nearest boundary of a character at or before an offset.
pub(crate) fn floor(text: &str, offset: u32) -> usize {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
