//! A way to walk a tree by field names, for whoever decodes objects.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use syntax::{Entry, NodeId, Tree, Value};

use crate::Labels;

/// One place in a tree, and how one gets there from the root of the object.
///
/// `null` counts as absent everywhere, as in the API server. The way is kept as the tree has it and written down only for whoever asks
/// for the path: a thousand places are looked at for each one that is named.
#[derive(Clone, Debug)]
pub struct At<'t> {
    tree: &'t Tree,
    node: NodeId,
    /// The namespace of an object that names none.
    namespace: &'t str,
    /// The node below which the tree itself knows the way here: the root of the object, or where an alias or a merge was followed last.
    base: NodeId,
    /// The path of that node; `None` for the root.
    above: Option<Arc<str>>,
}

impl<'t> At<'t> {
    /// The root of an object; one that names no namespace is in `default`.
    pub fn root(tree: &'t Tree, node: NodeId) -> At<'t> {
        At { tree, node, namespace: "default", base: node, above: None }
    }

    /// The same place; objects that name no namespace are in this one.
    pub fn in_namespace(self, namespace: &'t str) -> At<'t> {
        At { namespace, ..self }
    }

    /// The namespace of an object that names none.
    pub fn namespace(&self) -> &'t str {
        self.namespace
    }

    /// This place as the root of an object of its own.
    pub fn as_root(&self) -> At<'t> {
        At { base: self.node, above: None, ..*self }
    }

    /// The path from the root of the object, for example `spec.ingress[0]`; empty at the root.
    ///
    /// Cost: the depth, and logarithmic in what the mappings on the way hold.
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut node = self.node;
        while node != self.base {
            let Some(holder) = self.tree.parent(node) else { break };
            steps.push((holder, node));
            node = holder;
        }
        let mut path = self.above.as_deref().unwrap_or_default().to_owned();
        for (holder, node) in steps.into_iter().rev() {
            match self.tree.value(holder) {
                Value::Mapping(entries) => {
                    let key = key_of(entries, node).map(|key| self.tree.key(key)).unwrap_or_default();
                    join(&mut path, &key);
                }
                Value::Sequence(items) => push_index(&mut path, items.partition_point(|item| *item < node)),
                _ => {}
            }
        }
        path.shrink_to_fit();
        path
    }

    /// A node that stands here, under a key or as a member; `name` says how the way there goes on, in case the tree cannot tell.
    fn inner(&self, node: NodeId, name: impl FnOnce(&mut String)) -> At<'t> {
        if self.tree.parent(node) == Some(self.node) {
            return At { node, above: self.above.clone(), ..*self };
        }
        let mut path = self.path();
        name(&mut path);
        At { node, base: node, above: Some(path.into()), ..*self }
    }

    /// The tree.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// The node in the tree.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// What stands here.
    pub fn value(&self) -> Value<'t> {
        self.tree.value(self.node)
    }

    /// A field; `None` when it is absent or null, or when this is no mapping.
    pub fn get(&self, name: &str) -> Option<At<'t>> {
        let value = self.tree.get(self.node, name)?.value;
        let there = !matches!(self.tree.value(value), Value::Null);
        there.then(|| self.inner(value, |path| join(path, name)))
    }

    /// A field inside fields.
    pub fn dig(&self, names: &[&str]) -> Option<At<'t>> {
        names.iter().try_fold(self.clone(), |at, name| at.get(name))
    }

    /// The members of a list; none for anything else. Null members are kept.
    pub fn items(&self) -> impl Iterator<Item = At<'t>> + use<'t> {
        let list = self.clone();
        let member = move |(index, node): (usize, &NodeId)| list.inner(*node, |path| push_index(path, index));
        self.tree.items(self.node).iter().enumerate().map(member)
    }

    /// The members of a list field; none when it is absent.
    pub fn list(&self, name: &str) -> impl Iterator<Item = At<'t>> + use<'t> {
        self.get(name).into_iter().flat_map(|at| at.items())
    }

    /// The entries of a mapping in order of writing, without repeated keys: the last one counts. Keys that JSON cannot name, which are
    /// faults of the text, are left out. None for anything else.
    pub fn entries(&self) -> Vec<(Cow<'t, str>, At<'t>)> {
        let mut seen = Seen::new(self.tree.entries(self.node).len());
        let mut entries: Vec<(Cow<'t, str>, At<'t>)> = Vec::with_capacity(self.tree.entries(self.node).len());
        let is_name = |key| !matches!(self.tree.value(key), Value::Null | Value::Mapping(_) | Value::Sequence(_));
        for entry in self.tree.entries(self.node).iter().rev().filter(|entry| is_name(entry.key)) {
            let key = self.tree.key(entry.key);
            if seen.is_new(key.clone()) {
                let at = self.inner(entry.value, |path| join(path, &key));
                entries.push((key, at));
            }
        }
        entries.reverse();
        entries
    }

    /// The entries whose keys stand again later in the mapping; none for anything else.
    pub fn repeated(&self) -> Vec<At<'t>> {
        let mut seen = Seen::new(self.tree.entries(self.node).len());
        let entries = self.tree.entries(self.node).iter().rev();
        let at = entries.filter_map(|entry| {
            let key = self.tree.key(entry.key);
            (!seen.is_new(key.clone())).then(|| self.inner(entry.value, |path| join(path, &key)))
        });
        at.collect()
    }

    /// Text.
    pub fn text(&self) -> Option<&'t str> {
        match self.value() {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn whole(&self) -> Option<i64> {
        match self.value() {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// A truth value.
    pub fn flag(&self) -> Option<bool> {
        match self.value() {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// A text field.
    pub fn text_of(&self, name: &str) -> Option<&'t str> {
        self.get(name)?.text()
    }

    /// A text field; empty when it is absent.
    pub fn text_or_empty(&self, name: &str) -> String {
        self.text_of(name).unwrap_or_default().to_owned()
    }

    /// A mapping of texts; members that are no text are left out.
    pub fn labels(&self, name: &str) -> Labels {
        let entries = self.get(name).map(|at| at.entries()).unwrap_or_default();
        let texts = entries.into_iter().filter_map(|(key, at)| Some((key.into_owned(), at.text()?.to_owned())));
        texts.collect::<BTreeMap<String, String>>()
    }

    /// The texts of a list field that can be read as `T`.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> impl Iterator<Item = T> + use<'t, T> {
        self.list(name).filter_map(|at| at.text()?.parse().ok())
    }
}

/// Which keys of a mapping have been seen. Comparing a few beats hashing them.
struct Seen<'t> {
    few: Vec<Cow<'t, str>>,
    many: Option<HashSet<Cow<'t, str>>>,
}

impl<'t> Seen<'t> {
    /// Up to so many keys.
    fn new(keys: usize) -> Seen<'t> {
        let few = keys <= 16;
        Seen { few: Vec::with_capacity(if few { keys } else { 0 }), many: (!few).then(HashSet::new) }
    }

    fn is_new(&mut self, key: Cow<'t, str>) -> bool {
        match &mut self.many {
            Some(many) => many.insert(key),
            None if self.few.contains(&key) => false,
            None => {
                self.few.push(key);
                true
            }
        }
    }
}

/// The key of an entry by its value.
fn key_of(entries: &[Entry], value: NodeId) -> Option<NodeId> {
    // Values ascend in reading order, unless a merge has put others between them.
    let at = entries.partition_point(|entry| entry.value < value);
    let found = entries.get(at).filter(|entry| entry.value == value);
    found.or_else(|| entries.iter().find(|entry| entry.value == value)).map(|entry| entry.key)
}

/// Adds a field to a path. Keys that hold dots, brackets or quotes are written `["…"]`.
fn join(path: &mut String, key: &str) {
    let plain = !key.is_empty() && !key.bytes().any(|b| matches!(b, b'.' | b'[' | b']' | b'"' | b'\\'));
    match (path.is_empty(), plain) {
        (true, true) => path.push_str(key),
        (false, true) => {
            path.push('.');
            path.push_str(key);
        }
        (_, false) => {
            path.push_str("[\"");
            for c in key.chars() {
                if matches!(c, '\\' | '"') {
                    path.push('\\');
                }
                path.push(c);
            }
            path.push_str("\"]");
        }
    }
}

/// Adds a member of a list to a path.
fn push_index(path: &mut String, index: usize) {
    path.push('[');
    path.push_str(&index.to_string());
    path.push(']');
}
