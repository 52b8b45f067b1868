//! Turns a NetworkPolicy into a CiliumNetworkPolicy and back, where both are proved to mean the same.
//!
//! ```text
//!  spec ──to_cilium / to_builtin──► drafts, the usual way of writing first ──► edit ──► proof, as each reading has it ──► action
//! ```

mod to_builtin;
mod to_cilium;

use diag::{Edit, Fix};
use driver::text::{self, Object, Role};
use driver::{Database, SourceFile};
use facts::read::At;
use findings::mend::keeps_meaning;
use hir::{Dialect, ObjectRef};
use source::Span;
use syntax::{ScalarStyle, Tree};

use crate::actions::{Action, ActionKind};
use crate::draft::{Comments, Draft, Head, dashes, line_break, through_line, with_lost};

const BUILTIN: &str = "NetworkPolicy";
const CILIUM: &str = "CiliumNetworkPolicy";

/// What a direction is called in both kinds.
pub(crate) struct Side {
    /// The list of rules.
    rules: &'static str,
    /// Its word in `policyTypes`.
    word: &'static str,
    /// The list of peers of a NetworkPolicy.
    peers: &'static str,
    /// What the lists of peers of a CiliumNetworkPolicy begin with.
    prefix: &'static str,
}

pub(crate) const SIDES: [Side; 2] = [
    Side { rules: "ingress", word: "Ingress", peers: "from", prefix: "from" },
    Side { rules: "egress", word: "Egress", peers: "to", prefix: "to" },
];

/// The conversions of the policies whose head, the lines above `spec`, a range touches.
///
/// Cost: a proof for each way of writing that is tried.
pub(crate) fn conversions(db: &Database, file: SourceFile, range: Span) -> Vec<Action> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let policies = decoded.objects.iter().filter(|it| it.role == Role::Policy);
    policies.filter_map(|object| conversion(db, file, &tree, object, range)).collect()
}

fn conversion(db: &Database, file: SourceFile, tree: &Tree, object: &Object, range: Span) -> Option<Action> {
    let (kind, version) = match object.object.kind.as_str() {
        BUILTIN => (CILIUM, "cilium.io/v2"),
        CILIUM => (BUILTIN, "networking.k8s.io/v1"),
        _ => return None,
    };
    let document = tree.documents().get(object.document)?;
    let root = tree.find(document.root?, &object.at)?;
    let spec = tree.get(root, "spec")?;
    let start = if object.at.is_empty() { document.span.start } else { tree.span(root).start };
    let head = Span::new(start, tree.span(spec.key).end);
    let touches = head.start <= range.end && range.start <= head.end;
    let is_whole = tree.entries(root).iter().all(|it| ENVELOPE.iter().any(|name| tree.key_is(it.key, name)));
    if !touches || !is_whole || tree.style(root) != ScalarStyle::Block || exists(db, kind, &object.object) {
        return None;
    }
    // From behind the key to the end of the last line.
    let whole = through_line(tree.text(), Span::new(tree.span(spec.key).end, tree.span(spec.value).end));
    let policy = Policy { tree, spec: At::root(tree, spec.value), namespace: &object.object.namespace, whole };
    let drafts = match kind {
        CILIUM => to_cilium::drafts(&policy),
        _ => to_builtin::draft(&policy).into_iter().collect(),
    };
    let mut tried = Vec::new();
    for draft in drafts {
        let value = |key: &str| tree.get(root, key).map(|it| tree.span(it.value));
        let replacements =
            [(value("apiVersion")?, version.to_owned()), (value("kind")?, kind.to_owned()), policy.written(draft)];
        let edits: Vec<Edit> =
            replacements.into_iter().map(|(span, text)| Edit { file: file.id(db), span, replacement: text }).collect();
        if tried.contains(&edits) {
            continue;
        }
        let fix = Fix { title: format!("convert to {kind}"), edits };
        if readings(db).into_iter().all(|reading| keeps_meaning(db, &fix, reading)) {
            return Some(Action {
                title: fix.title,
                kind: ActionKind::Rewrite,
                is_preferred: false,
                edits: fix.edits,
                command: None,
                solves: None,
            });
        }
        tried.push(fix.edits);
    }
    None
}

const ENVELOPE: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// Whether an object of another kind has the name already: the two would become one.
fn exists(db: &Database, kind: &str, object: &ObjectRef) -> bool {
    let taken = |it: &Object| {
        it.object.kind == kind && it.object.namespace == object.namespace && it.object.name == object.name
    };
    db.files().any(|file| text::decoded(db, file).objects.iter().any(taken))
}

/// The readings under which both must mean the same: the one in use, and one of Cilium, without which nobody enforces its kinds.
fn readings(db: &Database) -> Vec<&'static Dialect> {
    let used = db.dialect();
    if used.name.starts_with("cilium") { vec![used] } else { vec![used, &Dialect::CILIUM_1_20] }
}

/// A policy that is read to be written as another kind.
pub(crate) struct Policy<'t> {
    tree: &'t Tree,
    spec: At<'t>,
    namespace: &'t str,
    whole: Span,
}

impl<'t> Policy<'t> {
    fn comments(&self) -> Comments<'t> {
        Comments::of(self.tree, self.whole)
    }

    /// The same as what stands here, with its comments.
    fn copy(&self, at: &At<'_>, comments: &mut Comments<'_>) -> Draft {
        Draft::copy(self.tree, at.node(), comments)
    }

    /// The bytes to replace, and by what.
    fn written(&self, draft: Draft) -> (Span, String) {
        let text = self.tree.text();
        let key = &text[..self.whole.start as usize];
        let column = key.len() - key.rfind('\n').map_or(0, |at| at + 1) - "spec".len();
        let dashes = dashes(self.tree, self.spec.node());
        let end = line_break(text);
        let indent = " ".repeat(column + 2);
        let lines = with_lost(self.tree, self.whole, draft.lines(dashes));
        let lines = lines.into_iter().map(|line| format!("{end}{indent}{line}"));
        (self.whole, format!(":{}", lines.collect::<String>()))
    }
}

/// Whether what stands here is written between brackets. Of nothing there is no telling: it would have to be.
fn is_flow(at: &At<'_>) -> bool {
    let is_empty = at.tree().entries(at.node()).is_empty() && at.tree().items(at.node()).is_empty();
    !is_empty && at.tree().style(at.node()) == ScalarStyle::Flow
}

/// The comments of the line of what stands here: of a field that of its key.
fn head(at: &At<'_>, comments: &mut Comments<'_>) -> Head {
    let tree = at.tree();
    let holder = tree.parent(at.node()).map(|it| tree.entries(it)).unwrap_or_default();
    let key = holder.iter().find(|it| it.value == at.node()).map_or(at.node(), |it| it.key);
    comments.take(tree.span(key).start)
}

/// Nothing where other fields than these are there.
fn only(at: &At<'_>, known: &[&str]) -> Option<()> {
    at.entries().iter().all(|(key, _)| known.contains(&key.as_ref())).then_some(())
}

/// A field.
fn field(name: &str, value: Draft) -> (String, Draft) {
    (name.to_owned(), value)
}

/// What a selector asks.
#[derive(Default)]
struct Conditions {
    labels: Vec<(String, Draft)>,
    expressions: Vec<Draft>,
    /// Whether any of it was written between brackets.
    flow: bool,
}

impl Conditions {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Notes how a selector is written.
    fn as_in(&mut self, at: &At<'_>) {
        let lists = ["matchLabels", "matchExpressions"].map(|it| at.get(it));
        self.flow |= is_flow(at) || lists.iter().flatten().any(is_flow);
    }

    /// It as a selector; `flow` says whether all of it stands between brackets.
    fn draft(self, flow: bool) -> Draft {
        let mut entries = Vec::new();
        if !self.labels.is_empty() {
            entries.push(field("matchLabels", Draft::mapping(self.labels, self.flow)));
        }
        if !self.expressions.is_empty() {
            entries.push(field("matchExpressions", Draft::list(self.expressions, self.flow)));
        }
        Draft::mapping(entries, flow)
    }
}

/// The label that the API server gives each namespace.
const NAME: &str = "kubernetes.io/metadata.name";
