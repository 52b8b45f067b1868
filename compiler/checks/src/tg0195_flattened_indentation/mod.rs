//! A policy whose lines have all moved to the left margin.

mod unflatten;

use diag::{Diagnostic, Edit, Fix};
use kinds::schema::Shape;
use kinds::{Kind, What};
use source::Span;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(195, "flattened-indentation", Error, "0.1.0", Validity);

/// Puts one explanation in the place of everything that is said of a flattened document.
pub fn explain(text: &Text, found: &mut Vec<Diagnostic>) {
    for document in documents(text.tree.text()) {
        let Some((said, span)) = render(text, document) else { continue };
        let inside = |it: &Diagnostic| {
            it.place().is_some_and(|label| span.start <= label.span.start && label.span.start <= span.end)
        };
        found.retain(|it| !inside(it));
        found.push(said);
    }
}

/// The documents of a text, each where it is, without the lines that part them.
fn documents(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            found.push(Span::new(start, at));
            start = at + line.len() as u32;
        }
        at += line.len() as u32;
    }
    found.push(Span::new(start, at));
    found
}

fn render(text: &Text, document: Span) -> Option<(Diagnostic, Span)> {
    let written = document.slice(text.tree.text());
    let kind = kind(written)?;
    let spec = kind.schema.fields.iter().find_map(|field| match (field.name, field.shape) {
        ("spec", Shape::Object(object)) => Some(object.fields),
        _ => None,
    })?;
    let mut at = document.start;
    let mut places: Vec<(&str, Span)> = Vec::new();
    for line in written.split_inclusive('\n') {
        places.push((line.trim_end(), Span::new(at, at + line.trim_end().len() as u32)));
        at += line.len() as u32;
    }
    let filled = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let head = places.iter().position(|(line, _)| *line == "spec:")?;
    let next = places[head + 1..].iter().find(|(line, _)| filled(line))?;
    let field = next.0.split(':').next().filter(|name| spec.iter().any(|field| field.name == *name))?;
    let key = Span::new(next.1.start, next.1.start + field.len() as u32);
    let headline = format!("the fields of `spec` stand at the left margin, beginning with {}", quoted(field));
    let said = PAGE.says(headline).blame(text.id, key, "belongs below `spec`, indented");
    let said = said.note(text.id, places[head].1, "holds nothing");
    let said = said.why(
        "indentation says what belongs to what, and copying lost it: the API server sees an empty `spec` and fields that it does \
         not know, and refuses the object",
    );
    let said = said.help(
        "indent the lines below `metadata`, `spec` and each list item by two spaces a level, as the source had them",
    );
    let said = match unflatten::unflatten(written, kind).filter(|fixed| is_policy(fixed)) {
        Some(replacement) => said.fix(Fix {
            title: format!("indent the document as a {} is", kind.kind),
            edits: vec![Edit { file: text.id, span: document, replacement }],
        }),
        None => said,
    };
    Some((said, document))
}

/// The policy kind that a document says it is of.
fn kind(document: &str) -> Option<&'static Kind> {
    let value = |key: &str| {
        let line = document.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.map(|value| value.trim().trim_matches(['"', '\'']))
    };
    let (version, kind) = (value("apiVersion")?, value("kind")?);
    match kinds::classify(version, kind) {
        kinds::Class::Policy(kind) => Some(kind),
        _ => None,
    }
}

/// Whether a document is a policy that a cluster takes.
fn is_policy(text: &str) -> bool {
    let tree = syntax::parse(text, &syntax::Limits::default());
    let root = tree.documents().iter().find_map(|document| document.root.filter(|_| document.sound));
    let decoded = root.map(|root| kinds::decode(&tree, root, "default", &hir::Dialect::STANDARD)).unwrap_or_default();
    matches!(decoded.as_slice(), [one] if one.accepted() && matches!(one.what, What::Policy(_)))
}
