//! Codes in comments that suppress findings, as links to their pages.

use checks::Page;
use driver::{Database, SourceFile, text};
use source::Span;

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The bytes that it stands on.
    pub span: Span,
    /// Its code, `TG0012`.
    pub code: diag::Code,
    /// Where its page stands in public.
    pub address: String,
    /// What is shown of it.
    pub title: String,
}

/// Every code that a comment of a file names for suppression, in order.
pub fn links(db: &Database, file: SourceFile) -> Vec<Link> {
    let tree = text::tree(db, file);
    let all = tree.comments().iter().flat_map(|comment| codes(comment.span, tree.text()));
    let link = |(span, page): (Span, &'static Page)| {
        let title = format!("{}: {}", page.code, page.slug);
        Link { span, code: page.code, address: page.address(), title }
    };
    all.map(link).collect()
}

/// The codes and slugs that a comment names between brackets behind `tidegate:`.
pub(crate) fn codes(comment: Span, text: &str) -> impl Iterator<Item = (Span, &'static Page)> {
    let body = comment.slice(text);
    let is_ours = body.trim_start_matches('#').trim_start().starts_with("tidegate:");
    let list = body.split_once('[').and_then(|(before, rest)| Some((before.len() + 1, rest.split_once(']')?.0)));
    let (mut at, list) = list.filter(|_| is_ours).unwrap_or_default();
    let mut found = Vec::new();
    for part in list.split(',') {
        let name = part.trim();
        let start = comment.start + (at + part.len() - part.trim_start().len()) as u32;
        let page = checks::explain(name).filter(|_| !name.is_empty());
        found.extend(page.map(|page| (Span::new(start, start + name.len() as u32), page)));
        at += part.len() + 1;
    }
    found.into_iter()
}
