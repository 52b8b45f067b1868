//! What is said of the word under the cursor.

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

/// What is said of the word at a place; `None` where nothing is known of it.
pub fn hover(db: &Database, at: At) -> Option<Hover> {
    let here = Here::new(db, at)?;
    let parts: Vec<String> = [field(&here)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| Hover { span: here.span(), markdown: parts.join("\n\n---\n\n") })
}

/// What the schema says of the field.
fn field(here: &Here) -> Option<String> {
    let known = shape::walk(here.kind(), &here.path)?;
    let field = known.field?;
    let name = here.path.iter().rev().find_map(|step| match step {
        Step::Key(key) if key == field.name => Some(key.as_str()),
        _ => None,
    });
    Some(format!("**{}**\n\n{}", name.unwrap_or(field.name), shape::describe(field)))
}
