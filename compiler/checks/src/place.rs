//! Where things stand: one file with its tree, one object in it, and from paths to the bytes worth marking.

use std::sync::Arc;

use diag::Diagnostic;
use driver::text::{self, Decoded, Object, Role};
use driver::{Db, SourceFile};
use facts::Cluster;
use facts::json::json;
use facts::read::At;
use hir::{Entry, L3, Peer, PeerSelector, Policy, Section, Selector, Subjects};
use source::{FileId, Span};
use syntax::{NodeId, ScalarStyle, Tree, Value};

use crate::page::Page;

/// One file as read.
pub(crate) struct Text {
    pub id: FileId,
    pub tree: Arc<Tree>,
    pub decoded: Arc<Decoded>,
    /// Everything that is known of the cluster.
    pub cluster: Arc<Cluster>,
}

impl Text {
    pub fn new(db: &dyn Db, file: SourceFile) -> Text {
        let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
        Text { id: file.id(db), tree, decoded, cluster: driver::world::cluster(db) }
    }

    /// The part of a span that is on its first line.
    pub fn first_line(&self, span: Span) -> Span {
        let marked = span.slice(self.tree.text());
        let len = marked.find(['\n', '\r']).unwrap_or(marked.len());
        Span::new(span.start, span.start + len as u32)
    }

    /// The objects, each with its place.
    pub fn spots(&self) -> impl Iterator<Item = Spot<'_>> {
        let mut policies = self.decoded.policies.iter();
        self.decoded.objects.iter().map(move |object| {
            let policy = (object.role == Role::Policy).then(|| policies.next().cloned()).flatten();
            Spot::new(self, object, policy)
        })
    }
}

/// A selector of a policy and where it is written.
pub(crate) struct Written<'s> {
    /// What it means, with what the import adds.
    pub selector: &'s Selector,
    pub path: String,
    /// Whether it says who the policy is about.
    pub is_subject: bool,
}

/// One object in its file.
pub(crate) struct Spot<'a> {
    pub text: &'a Text,
    pub object: &'a Object,
    /// The root of the object; absent only where tree and objects do not fit.
    pub root: Option<NodeId>,
    /// What it says, when it is a policy that takes part.
    pub policy: Option<Arc<Policy>>,
}

impl<'a> Spot<'a> {
    fn new(text: &'a Text, object: &'a Object, policy: Option<Arc<Policy>>) -> Spot<'a> {
        let document = text.tree.documents().get(object.document).and_then(|document| document.root);
        Spot { text, object, policy, root: document.and_then(|root| text.tree.find(root, &object.at)) }
    }

    pub fn tree(&self) -> &'a Tree {
        &self.text.tree
    }

    /// The node at a path; `None` when the path leads nowhere.
    pub fn node(&self, path: &str) -> Option<NodeId> {
        self.tree().find(self.root?, path)
    }

    /// What stands at a path; null counts as absent.
    pub fn value_at(&self, path: &str) -> Option<Value<'a>> {
        Some(self.tree().value(self.node(path)?)).filter(|value| !matches!(value, Value::Null))
    }

    /// The paths of the elements of a list; none when there is no list.
    pub fn items(&self, path: &str) -> impl Iterator<Item = String> + use<> {
        let count = self.node(path).map_or(0, |node| self.tree().items(node).len());
        let path = path.to_owned();
        (0..count).map(move |at| format!("{path}[{at}]"))
    }

    /// The text at a path.
    pub fn string(&self, path: &str) -> Option<&'a str> {
        match self.tree().value(self.node(path)?) {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The key at a path, or what of it exists: of an item its first key or itself, of the whole object its kind.
    pub fn key(&self, path: &str) -> Span {
        let Some(root) = self.root else { return Span::at(0) };
        let deepest = self.tree().find_deepest(root, path);
        match deepest.key {
            Some(key) => self.tree().span(key),
            None if deepest.node == root => self.kind(root),
            None => self.head(deepest.node),
        }
    }

    /// The value at a path where it is worth marking whole, else as [`Spot::key`]. A block of lines is not.
    pub fn value(&self, path: &str) -> Span {
        let marked = self.node(path).filter(|node| self.is_compact(*node));
        marked.map_or_else(|| self.key(path), |node| self.tree().span(node))
    }

    /// The text `found` at a path: a value, a key, or the value of a field there.
    pub fn word(&self, path: &str, found: &str) -> Span {
        let Some(root) = self.root else { return Span::at(0) };
        let (tree, deepest) = (self.tree(), self.tree().find_deepest(root, path));
        if deepest.complete {
            let is = |node: NodeId| matches!(tree.value(node), Value::Str(text) if text == found);
            if is(deepest.node) && self.is_compact(deepest.node) {
                return tree.span(deepest.node);
            }
            if let Some(key) = deepest.key.filter(|key| tree.key(*key) == found) {
                return tree.span(key);
            }
            if let Some(entry) = tree.entries(deepest.node).iter().find(|entry| is(entry.value)) {
                return tree.span(entry.value);
            }
        }
        self.key(path)
    }

    /// Whether the addresses of the group of a cloud at a path are known.
    pub fn is_supplied_group(&self, path: &str) -> bool {
        let is_group = path.rsplit_once('[').is_some_and(|(list, _)| list.ends_with("Groups"));
        let node = self.node(path).filter(|_| is_group && !self.text.cluster.cloud_groups.is_empty());
        node.is_some_and(|node| self.text.cluster.cloud_groups.contains_key(&json(&At::root(self.tree(), node))))
    }

    /// Whether a node is an edit's business alone: written here, on its own, not by an alias.
    pub fn is_own_scalar(&self, node: NodeId) -> bool {
        use ScalarStyle::{DoubleQuoted, Plain, SingleQuoted};
        matches!(self.tree().style(node), Plain | SingleQuoted | DoubleQuoted) && !self.tree().span(node).is_empty()
    }

    /// The policy with each of its rules.
    pub fn rules(&self) -> impl Iterator<Item = (&Section, &Entry)> {
        let sections = self.policy.iter().flat_map(|policy| &policy.sections);
        sections.flat_map(|section| section.entries.iter().map(move |entry| (section, entry)))
    }

    /// The rules together with the peers that they name.
    pub fn peers(&self) -> impl Iterator<Item = (&Section, &Entry, &Peer)> {
        self.rules().flat_map(|(section, entry)| {
            let peers: &[Peer] = if let L3::Any(peers) = &entry.l3 { peers } else { &[] };
            peers.iter().map(move |peer| (section, entry, peer))
        })
    }

    /// Whether it is a policy in force, of one of these kinds.
    pub fn is_policy_of(&self, kinds: &[&str]) -> bool {
        self.policy.is_some() && kinds.contains(&self.object.object.kind.as_str())
    }

    /// Whether it is an object of this kind of `cilium.io`.
    pub fn is_of_cilium(&self, kind: &str) -> bool {
        self.object.object.kind == kind && self.string("apiVersion").is_some_and(|it| it.starts_with("cilium.io/"))
    }

    /// The selector fields of the policy, as written: of subjects and of peers. Of a peer of a NetworkPolicy its two selectors.
    pub fn selectors(&self) -> Vec<Written<'_>> {
        let mut found = Vec::new();
        for section in self.policy.iter().flat_map(|policy| &policy.sections) {
            let (Subjects::Endpoints(selector) | Subjects::Nodes(selector)) = &section.subjects;
            let field = ["podSelector", "endpointSelector", "nodeSelector"].into_iter();
            let path = field.map(|field| format!("{}.{field}", section.path)).find(|path| self.node(path).is_some());
            found.extend(path.map(|path| Written { selector, path, is_subject: true }));
        }
        for (_, _, peer) in self.peers() {
            if let PeerSelector::Labels { selector, .. } = &peer.selector {
                found.push(Written { selector, path: peer.path.clone(), is_subject: false });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        found
    }

    /// Where a selector says something of a key, with or without source: the span of its value in `matchLabels`, else of the key.
    pub fn condition(&self, path: &str, key: &str) -> Span {
        let tree = self.tree();
        let is_key = |written: &str| written == key || written.split_once(':').is_some_and(|(_, rest)| rest == key);
        for holder in [path.to_owned(), format!("{path}.podSelector"), format!("{path}.namespaceSelector")] {
            let labels = self.node(&format!("{holder}.matchLabels"));
            let entries = labels.map(|labels| tree.entries(labels)).unwrap_or_default();
            if let Some(entry) = entries.iter().find(|entry| is_key(&tree.key(entry.key))) {
                return tree.span(entry.key);
            }
            for item in self.items(&format!("{holder}.matchExpressions")) {
                let written = format!("{item}.key");
                if self.string(&written).is_some_and(is_key) {
                    return self.value(&written);
                }
            }
        }
        self.key(path)
    }

    /// The value of a label in the `matchLabels` of a selector.
    pub fn label_value(&self, selector: &str, key: &str) -> Option<NodeId> {
        let labels = self.node(&format!("{selector}.matchLabels"))?;
        let is_key = |written: &str| written == key || written.split_once(':').is_some_and(|(_, rest)| rest == key);
        let tree = self.tree();
        tree.entries(labels).iter().find(|entry| is_key(&tree.key(entry.key))).map(|entry| entry.value)
    }

    /// A diagnostic of a page with its place to blame.
    pub fn say(&self, page: &Page, headline: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        self.blame(page.says(headline), span, label)
    }

    /// Marks the place to blame.
    pub fn blame(&self, diagnostic: Diagnostic, span: Span, text: impl Into<String>) -> Diagnostic {
        diagnostic.blame(self.text.id, span, text)
    }

    fn is_compact(&self, node: NodeId) -> bool {
        let tree = self.tree();
        !tree.span(node).is_empty() && !tree.raw(node).contains(['\n', '\r'])
    }

    fn head(&self, node: NodeId) -> Span {
        match self.tree().entries(node).first() {
            Some(first) if self.tree().style(node) == ScalarStyle::Block => self.tree().span(first.key),
            _ if self.is_compact(node) => self.tree().span(node),
            _ => Span::at(self.tree().span(node).start),
        }
    }

    fn kind(&self, root: NodeId) -> Span {
        match self.tree().get(root, "kind") {
            Some(entry) if self.is_compact(entry.value) => self.tree().span(entry.value),
            _ => self.head(root),
        }
    }
}
