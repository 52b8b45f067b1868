//! Where a finding stands, as a KRM result says it: object, field, file.

use diag::Diagnostic;
use driver::{Database, text};
use facts::read::At;
use serde_json::{Map, Value, json};
use source::Span;
use syntax::{NodeId, Tree};

/// The place of a finding.
pub struct Place {
    /// `resourceRef`.
    pub resource: Value,
    /// The path in the object; empty for the object itself.
    pub field: String,
    /// `file`, where the annotations of the object tell.
    pub file: Option<Value>,
}

/// The place of a finding among the items of the list; `None` for what stands in none.
pub fn of(db: &Database, finding: &Diagnostic) -> Option<Place> {
    let label = finding.place()?;
    let file = db.file(label.file)?;
    let tree = text::tree(db, file);
    let decoded = text::decoded(db, file);
    let found = decoded.objects.iter().find_map(|object| {
        let root = tree.documents().get(object.document)?.root?;
        let node = tree.find(root, &object.at)?;
        tree.span(node).covers(label.span).then_some((object, node))
    });
    let (object, node) = found?;
    let at = At::root(&tree, node);
    let mut resource = Map::new();
    for (name, text) in [("apiVersion", at.text_of("apiVersion")), ("kind", at.text_of("kind"))] {
        resource.extend(text.map(|text| (name.to_owned(), json!(text))));
    }
    resource.insert("name".into(), json!(object.object.name));
    if !object.object.namespace.is_empty() {
        resource.insert("namespace".into(), json!(object.object.namespace));
    }
    Some(Place { resource: Value::Object(resource), field: path(&tree, node, label.span), file: origin(&at) })
}

/// The file that an item came from, as kustomize and kpt note it.
fn origin(at: &At<'_>) -> Option<Value> {
    let annotations = at.dig(&["metadata", "annotations"])?;
    let said = |name: &str| {
        let names = [format!("internal.config.kubernetes.io/{name}"), format!("config.kubernetes.io/{name}")];
        names.iter().find_map(|it| annotations.text_of(it)).map(str::to_owned)
    };
    let mut file = json!({ "path": said("path")? });
    if let Some(index) = said("index").and_then(|it| it.parse::<u64>().ok()) {
        file["index"] = json!(index);
    }
    Some(file)
}

/// The path from a node to the smallest value or key that covers a span.
fn path(tree: &Tree, node: NodeId, span: Span) -> String {
    let (mut node, mut path) = (node, String::new());
    loop {
        let entries = tree.entries(node).iter().map(|it| {
            let key = tree.key(it.key).into_owned();
            let step = if path.is_empty() { key } else { format!(".{key}") };
            (step, tree.span(it.key).covers(span) || tree.span(it.value).covers(span), it.value)
        });
        let items = tree.items(node).iter().enumerate();
        let items = items.map(|(index, it)| (format!("[{index}]"), tree.span(*it).covers(span), *it));
        let Some((step, _, next)) = entries.chain(items).find(|(_, covers, _)| *covers) else { return path };
        path += &step;
        node = next;
    }
}
