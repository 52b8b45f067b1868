//! The page of a code that a comment names.

use driver::{Database, text};
use source::Span;

use super::Hover;
use crate::{At, cursor};

pub(super) fn hover(db: &Database, at: At) -> Option<Hover> {
    let tree = text::tree(db, at.file);
    let offset = cursor::floor(tree.text(), at.offset) as u32;
    let comment = tree.comments().iter().find(|it| it.span.start <= offset && offset <= it.span.end)?;
    let (span, page) = crate::links::codes(comment.span, tree.text()).find(|(span, _)| touches(*span, offset))?;
    Some(Hover { span, markdown: page.text.trim().to_owned() })
}

fn touches(span: Span, offset: u32) -> bool {
    span.start <= offset && offset <= span.end
}
