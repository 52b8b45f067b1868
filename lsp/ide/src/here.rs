//! What stands at an offset of a text: the object, the path in it, the node.

use std::sync::Arc;

use driver::{Database, text};
use source::Span;
use syntax::{NodeId, Tree};

use crate::At;
use crate::cursor::{self, Step};

/// A node of an object.
pub(crate) struct Here {
    pub tree: Arc<Tree>,
    /// The root of the object.
    pub root: NodeId,
    /// From the object to the node; of a key, to its value.
    pub path: Vec<Step>,
    /// The key or scalar at the offset.
    pub node: NodeId,
}

impl Here {
    /// The innermost key or value at an offset; `None` between them and in comments.
    pub fn new(db: &Database, at: At) -> Option<Here> {
        let tree = text::tree(db, at.file);
        let offset = cursor::floor(tree.text(), at.offset) as u32;
        if tree.comments().iter().any(|it| it.span.start < offset && offset <= it.span.end) {
            return None;
        }
        let touches = |span: Span| span.start <= offset && offset <= span.end;
        let root = tree.documents().iter().filter(|it| touches(it.span)).filter_map(|it| it.root).next_back()?;
        let (node, key) = innermost(&tree, root, &touches)?;
        let (mut path, _, _) = cursor::path(&tree, key.unwrap_or(node))?;
        if let Some(key) = key {
            path.push(Step::Key(tree.key(key).into_owned()));
        }
        let (root, inner) = cursor::object(&tree, root, &path);
        let path = path[inner..].to_vec();
        Some(Here { root, path, node: key.unwrap_or(node), tree })
    }

    /// The text at a path of the object.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.tree.value(self.tree.find(self.root, path)?) {
            syntax::Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The kind of the object, where it has a schema.
    pub fn kind(&self) -> Option<&'static kinds::Kind> {
        crate::shape::kind(self.text("apiVersion")?, self.text("kind")?)
    }

    /// The bytes of the node.
    pub fn span(&self) -> Span {
        self.tree.span(self.node)
    }
}

/// The key at an offset with its value, or the innermost value there.
fn innermost(tree: &Tree, root: NodeId, touches: &impl Fn(Span) -> bool) -> Option<(NodeId, Option<NodeId>)> {
    let mut node = root;
    if !touches(tree.span(root)) {
        return None;
    }
    loop {
        let entries = tree.entries(node);
        if let Some(entry) = entries.iter().find(|it| touches(tree.span(it.key))) {
            return Some((entry.value, Some(entry.key)));
        }
        let below = entries.iter().map(|it| it.value).chain(tree.items(node).iter().copied());
        match below.filter(|it| touches(tree.span(*it)) && tree.parent(*it) == Some(node)).last() {
            Some(next) => node = next,
            None => return Some((node, None)),
        }
    }
}
