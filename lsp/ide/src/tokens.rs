//! What words of a file are, beyond what any YAML editor sees.

use driver::{Database, SourceFile, text};
use source::Span;
use syntax::{NodeId, Tree};

use crate::cursor::Step;
use crate::shape;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A field of the schema.
    Field,
    /// The kind of an object.
    ObjectKind,
    /// The name of an object, a namespace, a reference to one.
    Name,
    /// A word of a fixed set: an entity, a protocol, a direction.
    Word,
    /// The key of a label.
    LabelKey,
    /// The value of a label.
    LabelValue,
    /// A block of addresses.
    Address,
    /// A port.
    Port,
    /// A name of DNS.
    Host,
}

/// The words of the objects of a file that have a schema, in order; none overlap.
pub fn tokens(db: &Database, file: SourceFile) -> Vec<(Span, TokenKind)> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let mut found = Vec::new();
    for object in decoded.objects.iter() {
        let Some(root) = tree.documents().get(object.document).and_then(|it| it.root) else { continue };
        let Some(root) = tree.find(root, &object.at) else { continue };
        let text = |key: &str| tree.get(root, key).map(|it| tree.raw(it.value)).unwrap_or_default();
        let kind = shape::kind(text("apiVersion"), text("kind"));
        walk(&tree, kind, root, &mut Vec::new(), &mut found);
    }
    found.retain(|(span, _)| !span.is_empty() && !span.slice(tree.text()).contains('\n'));
    found.sort_unstable();
    found.dedup_by(|later, earlier| later.0.start < earlier.0.end);
    found
}

fn walk(
    tree: &Tree,
    kind: Option<&'static kinds::Kind>,
    node: NodeId,
    path: &mut Vec<Step>,
    found: &mut Vec<(Span, TokenKind)>,
) {
    for entry in tree.entries(node).iter().filter(|it| tree.parent(it.value) == Some(node)) {
        let in_labels = is_labels(path);
        path.push(Step::Key(tree.key(entry.key).into_owned()));
        let known = shape::walk(kind, path);
        if in_labels {
            found.push((tree.span(entry.key), TokenKind::LabelKey));
            found.push((tree.span(entry.value), TokenKind::LabelValue));
        } else if known.is_some() {
            found.push((tree.span(entry.key), TokenKind::Field));
        }
        value(tree, entry.value, path, known, found);
        walk(tree, kind, entry.value, path, found);
        path.pop();
    }
    for (at, item) in tree.items(node).iter().enumerate().filter(|(_, it)| tree.parent(**it) == Some(node)) {
        path.push(Step::Item(at));
        value(tree, *item, path, shape::walk(kind, path), found);
        walk(tree, kind, *item, path, found);
        path.pop();
    }
}

/// Whether the mapping at a path is labels.
fn is_labels(path: &[Step]) -> bool {
    matches!(path.last(), Some(Step::Key(key)) if key == "matchLabels" || key == "labels")
}

fn value(tree: &Tree, node: NodeId, path: &[Step], known: Option<shape::Known>, found: &mut Vec<(Span, TokenKind)>) {
    if !tree.entries(node).is_empty() || !tree.items(node).is_empty() {
        return;
    }
    let name = path.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item(_) => None,
    });
    let kind = match (name.unwrap_or_default(), known.map(|it| it.shape)) {
        ("kind", _) if path.len() == 1 => TokenKind::ObjectKind,
        ("name" | "namespace" | "serviceName" | "cidrGroupRef", Some(_)) => TokenKind::Name,
        ("key", Some(_)) => TokenKind::LabelKey,
        ("values", Some(_)) => TokenKind::LabelValue,
        ("port" | "endPort", Some(_)) => TokenKind::Port,
        ("matchName" | "matchPattern", Some(_)) => TokenKind::Host,
        (_, Some(kinds::schema::Shape::Word(_))) | ("policyTypes" | "protocol" | "operator", Some(_)) => {
            TokenKind::Word
        }
        ("cidr" | "except" | "fromCIDR" | "toCIDR", Some(_)) => TokenKind::Address,
        _ => return,
    };
    found.push((tree.span(node), kind));
}
