//! A way to walk a tree by field names, for whoever decodes objects.

use std::collections::{BTreeMap, BTreeSet};

use syntax::{NodeId, Tree, Value};

use crate::Labels;

/// One place in a tree, and how one gets there from the root of the object.
///
/// `null` counts as absent everywhere, as in the API server.
#[derive(Clone, Debug)]
pub struct At<'t> {
    tree: &'t Tree,
    node: NodeId,
    /// The namespace of an object that names none.
    namespace: &'t str,
    /// The path from the root of the object, for example `spec.ingress[0]`; empty at the root.
    pub path: String,
}

impl<'t> At<'t> {
    /// The root of an object; one that names no namespace is in `default`.
    pub fn root(tree: &'t Tree, node: NodeId) -> At<'t> {
        At { tree, node, namespace: "default", path: String::new() }
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
        At { path: String::new(), ..self.clone() }
    }

    /// What stands here.
    pub fn value(&self) -> Value<'t> {
        self.tree.value(self.node)
    }

    /// A field; `None` when it is absent or null, or when this is no mapping.
    pub fn get(&self, name: &str) -> Option<At<'t>> {
        let entry = self.tree.get(self.node, name)?;
        let at = At { node: entry.value, path: join(&self.path, name), ..*self };
        (!matches!(at.value(), Value::Null)).then_some(at)
    }

    /// A field inside fields.
    pub fn dig(&self, names: &[&str]) -> Option<At<'t>> {
        names.iter().try_fold(self.clone(), |at, name| at.get(name))
    }

    /// The members of a list; none for anything else. Null members are kept.
    pub fn items(&self) -> impl Iterator<Item = At<'t>> + use<'t> {
        let (tree, namespace, path) = (self.tree, self.namespace, self.path.clone());
        let member = move |(index, node): (usize, &NodeId)| At {
            tree,
            node: *node,
            namespace,
            path: format!("{path}[{index}]"),
        };
        self.tree.items(self.node).iter().enumerate().map(member)
    }

    /// The members of a list field; none when it is absent.
    pub fn list(&self, name: &str) -> impl Iterator<Item = At<'t>> + use<'t> {
        self.get(name).into_iter().flat_map(|at| at.items())
    }

    /// The entries of a mapping in order of writing, without repeated keys: the last one counts. Keys that JSON cannot name, which are
    /// faults of the text, are left out. None for anything else.
    pub fn entries(&self) -> Vec<(String, At<'t>)> {
        let mut seen = BTreeSet::new();
        let mut entries: Vec<(String, At<'t>)> = Vec::new();
        let is_name = |key| !matches!(self.tree.value(key), Value::Null | Value::Mapping(_) | Value::Sequence(_));
        for entry in self.tree.entries(self.node).iter().rev().filter(|entry| is_name(entry.key)) {
            let key = self.tree.key(entry.key).into_owned();
            if seen.insert(key.clone()) {
                let path = join(&self.path, &key);
                entries.push((key, At { node: entry.value, path, ..*self }));
            }
        }
        entries.reverse();
        entries
    }

    /// The entries whose keys stand again later in the mapping; none for anything else.
    pub fn repeated(&self) -> Vec<At<'t>> {
        let mut seen = BTreeSet::new();
        let entries = self.tree.entries(self.node).iter().rev();
        let at = entries.filter_map(|entry| {
            let key = self.tree.key(entry.key).into_owned();
            let path = join(&self.path, &key);
            (!seen.insert(key)).then_some(At { node: entry.value, path, ..*self })
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
        let texts = entries.into_iter().filter_map(|(key, at)| Some((key, at.text()?.to_owned())));
        texts.collect::<BTreeMap<String, String>>()
    }

    /// The texts of a list field that can be read as `T`.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> impl Iterator<Item = T> + use<'t, T> {
        self.list(name).filter_map(|at| at.text()?.parse().ok())
    }
}

/// A path with one more field. Keys that hold dots, brackets or quotes are written `["…"]`.
fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && !key.contains(['.', '[', ']', '"', '\\']);
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
