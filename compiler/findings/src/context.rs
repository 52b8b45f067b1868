//! In which object a place is, and from which template that object was rendered.
//!
//! ```text
//!  # Source: shop/templates/db.yaml                                   Helm, a comment above the object
//!  metadata.annotations."config.kubernetes.io/origin": "path: …"      kustomize, with `buildMetadata: [originAnnotations]`
//!  metadata.annotations."internal.config.kubernetes.io/path": …       functions of kustomize and kpt
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use driver::text::{self, Object};
use driver::{Db, SourceFile};
use source::FileId;
use syntax::{Document, NodeId, Tree, Value};

/// What is around a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The object, for example `NetworkPolicy shop/db`.
    pub object: Option<String>,
    /// What it was rendered from.
    pub origin: Option<Origin>,
}

/// What an object was rendered from, as the renderer says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The template or base: a path in the chart, or below `repo` where there is one.
    pub path: Option<String>,
    /// The repository.
    pub repo: Option<String>,
    /// Its branch, tag or commit.
    pub reference: Option<String>,
    /// For what a generator or transformer made: the file that configures it.
    pub configured_in: Option<String>,
}

impl std::fmt::Display for Origin {
    /// `shop/templates/db.yaml`, or `https://…@v1 base/db.yaml`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let repo = self.repo.iter().map(|repo| match &self.reference {
            Some(reference) => format!("{repo}@{reference}"),
            None => repo.clone(),
        });
        let configured = self.configured_in.iter().map(|it| format!("configured in {it}"));
        let parts: Vec<String> = repo.chain(self.path.clone()).chain(configured).collect();
        f.write_str(&parts.join(" "))
    }
}

/// Contexts of places, file by file as they are asked for.
#[derive(Default)]
pub struct Contexts(BTreeMap<FileId, Vec<Part>>);

/// The bytes of one object.
struct Part {
    start: u32,
    context: Arc<Context>,
}

impl Contexts {
    /// The context of a byte of a file. Cost: linear in the file for its first place, logarithmic for others.
    pub fn of(&mut self, db: &dyn Db, file: SourceFile, offset: u32) -> Arc<Context> {
        let parts = self.0.entry(file.id(db)).or_insert_with(|| parts(db, file));
        let after = parts.partition_point(|part| part.start <= offset);
        after.checked_sub(1).map_or_else(Arc::default, |at| parts[at].context.clone())
    }
}

fn parts(db: &dyn Db, file: SourceFile) -> Vec<Part> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let documents = tree.documents();
    let sources: Vec<Option<Origin>> = documents.iter().map(|document| helm(&tree, document)).collect();
    let mut found: Vec<Part> = Vec::new();
    for object in decoded.objects.iter() {
        let Some(document) = documents.get(object.document) else { continue };
        let Some(root) = document.root.and_then(|root| tree.find(root, &object.at)) else { continue };
        let origin = kustomize(&tree, root).or_else(|| sources[object.document].clone());
        let context = Arc::new(Context { object: Some(name_of(object)), origin });
        let start = if object.at.is_empty() { document.span.start } else { tree.span(root).start };
        found.push(Part { start, context });
    }
    // Why: a document without objects ends what stands before it.
    for (document, origin) in documents.iter().zip(sources) {
        let context = Arc::new(Context { object: None, origin });
        found.push(Part { start: document.span.start, context });
    }
    found.sort_by_key(|part| (part.start, part.context.object.is_some()));
    found
}

fn name_of(object: &Object) -> String {
    object.object.to_string()
}

/// The comment that Helm writes above what it renders.
fn helm(tree: &Tree, document: &Document) -> Option<Origin> {
    let comments = tree.comments();
    let first = comments.partition_point(|comment| comment.span.start < document.span.start);
    let end = document.root.map_or(document.span.end, |root| tree.span(root).start);
    let here = comments[first..].iter().take_while(|comment| comment.span.start < end);
    let path = here.filter_map(|comment| comment.span.slice(tree.text()).strip_prefix("# Source: ")).next()?.trim();
    Some(Origin { path: Some(path.to_owned()), ..Origin::default() })
}

/// The annotations that kustomize and functions write.
fn kustomize(tree: &Tree, root: NodeId) -> Option<Origin> {
    let annotations = tree.find(root, "metadata.annotations")?;
    let get = |key: &str| match tree.value(tree.get(annotations, key)?.value) {
        Value::Str(text) => Some(text),
        _ => None,
    };
    if let Some(written) = get("config.kubernetes.io/origin") {
        let inner = syntax::parse(written, &syntax::Limits::default());
        let root = inner.documents().first()?.root?;
        let field = |name: &str| match inner.value(inner.get(root, name)?.value) {
            Value::Str(text) => Some(text.to_owned()),
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
                Some(inner.raw(inner.get(root, name)?.value).to_owned())
            }
            _ => None,
        };
        let origin = Origin {
            path: field("path"),
            repo: field("repo"),
            reference: field("ref"),
            configured_in: field("configuredIn"),
        };
        return (origin != Origin::default()).then_some(origin);
    }
    let path = get("internal.config.kubernetes.io/path").or_else(|| get("config.kubernetes.io/path"))?;
    Some(Origin { path: Some(path.to_owned()), ..Origin::default() })
}
