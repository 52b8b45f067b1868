//! What is said of the word under the cursor.

mod code;
mod policy;
mod port;
mod rule;
mod selector;

pub(crate) use port::{destinations, item};

use driver::Database;
use source::Span;

use crate::At;
use crate::cursor::Step;
use crate::here::Here;
use crate::shape;

/// What is said of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The bytes that it is about.
    pub span: Span,
    /// What is said. Markdown.
    pub markdown: String,
}

/// What is said of the word at a place; `None` where nothing is known of it. What holds of the cluster comes before what the schema says.
pub fn hover(db: &Database, at: At) -> Option<Hover> {
    if let Some(hover) = code::hover(db, at) {
        return Some(hover);
    }
    let here = Here::new(db, at)?;
    let policy = here.policy(db);
    let told = policy.as_ref().map(|policy| {
        [
            policy::said(db, &here, policy),
            selector::said(db, &here, policy),
            rule::said(db, &here, policy),
            port::said(db, &here, policy),
        ]
    });
    let parts: Vec<String> = told.into_iter().flatten().flatten().chain(field(&here)).collect();
    (!parts.is_empty()).then(|| Hover { span: marked(&here), markdown: parts.join("\n\n---\n\n") })
}

/// The bytes to mark: the word, or the first line of what reaches over several.
fn marked(here: &Here) -> Span {
    let span = here.span();
    let text = span.slice(here.tree.text());
    Span::new(span.start, span.start + text.find(['\n', '\r']).unwrap_or(text.len()) as u32)
}

/// What the schema says of the field.
fn field(here: &Here) -> Option<String> {
    let known = shape::walk(here.kind(), &here.path)?;
    let field = known.field?;
    // The member of a list is no field of its own.
    if matches!(here.path.last(), Some(Step::Item(_))) && !here.tree.entries(here.node).is_empty() {
        return None;
    }
    Some(format!("**{}**\n\n{}", field.name, shape::describe(field)))
}
