//! What stands at an offset of a text: the object, the path in it, the node.

use std::sync::Arc;

use driver::text::{self, Decoded, Object, Role};
use driver::{Database, SourceFile};
use hir::Policy;
use source::Span;
use syntax::{NodeId, Tree};

use crate::At;
use crate::cursor::{self, Step};

/// A node of an object.
pub(crate) struct Here {
    pub file: SourceFile,
    pub tree: Arc<Tree>,
    /// Which document.
    pub document: usize,
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
        let documents = tree.documents().iter().enumerate();
        let (document, root) =
            documents.filter(|(_, it)| touches(it.span)).filter_map(|(at, it)| Some((at, it.root?))).next_back()?;
        let (node, key) = innermost(&tree, root, &touches)?;
        let (mut path, _, _) = cursor::path(&tree, key.unwrap_or(node))?;
        if let Some(key) = key {
            path.push(Step::Key(tree.key(key).into_owned()));
        }
        let (root, inner) = cursor::object(&tree, root, &path);
        let path = path[inner..].to_vec();
        Some(Here { file: at.file, document, root, path, node: key.unwrap_or(node), tree })
    }

    /// The object as it was read, with its place among those of the file.
    pub fn object(&self, db: &Database) -> Option<(usize, Object)> {
        let decoded = text::decoded(db, self.file);
        let mut objects = decoded.objects.iter().enumerate().filter(|(_, it)| it.document == self.document);
        let root = self.tree.documents().get(self.document)?.root?;
        let (at, object) = objects.find(|(_, it)| self.tree.find(root, &it.at) == Some(self.root))?;
        Some((at, object.clone()))
    }

    /// The text at a path of the object.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.tree.value(self.tree.find(self.root, path)?) {
            syntax::Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The policy that the object is, where it takes part.
    pub fn policy(&self, db: &Database) -> Option<Arc<Policy>> {
        let (at, object) = self.object(db)?;
        policy(&text::decoded(db, self.file), at, &object)
    }

    /// The kind of the object, where it has a schema.
    pub fn kind(&self) -> Option<&'static kinds::Kind> {
        crate::shape::kind(self.text("apiVersion")?, self.text("kind")?)
    }

    /// The bytes of the node.
    pub fn span(&self) -> Span {
        self.tree.span(self.node)
    }

    /// The path as text.
    pub fn path_text(&self) -> String {
        cursor::spell(&self.path)
    }
}

/// The policy that an object of a file is, where it takes part; `at` is the place of the object.
pub(crate) fn policy(decoded: &Decoded, at: usize, object: &Object) -> Option<Arc<Policy>> {
    let before = decoded.objects.iter().take(at).filter(|it| it.role == Role::Policy).count();
    decoded.policies.get(before).filter(|_| object.role == Role::Policy).cloned()
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
            None => return Some((behind_dash(tree, node, touches).unwrap_or(node), None)),
        }
    }
}

/// The member of a list whose dash is at the offset.
fn behind_dash(tree: &Tree, list: NodeId, touches: &impl Fn(Span) -> bool) -> Option<NodeId> {
    let is_at = |item: &&NodeId| {
        let start = tree.span(**item).start;
        let before = &tree.text()[..start as usize];
        let dash = before.trim_end_matches(' ').strip_suffix('-').map(|before| before.len() as u32);
        dash.is_some_and(|dash| touches(Span::new(dash, dash + 1)))
    };
    tree.items(list).iter().find(is_at).copied()
}
