//! Which bytes a comment speaks of: its line, or the block below it.

use source::{LineIndex, Span};

use crate::place::Text;

/// Where keys, items and documents of a file begin and end.
pub(super) struct Blocks<'t> {
    text: &'t str,
    lines: LineIndex,
    /// Begin and end of each, ascending.
    parts: Vec<(u32, u32)>,
}

impl<'t> Blocks<'t> {
    pub fn new(text: &'t Text) -> Blocks<'t> {
        let tree = &text.tree;
        let mut parts = Vec::new();
        for node in tree.nodes() {
            for entry in tree.entries(node) {
                let (key, value) = (tree.span(entry.key), tree.span(entry.value));
                parts.push((key.start, value.end.max(key.end)));
            }
            parts.extend(tree.items(node).iter().map(|item| (tree.span(*item).start, tree.span(*item).end)));
        }
        for document in tree.documents() {
            parts.extend(document.root.map(|root| (tree.span(root).start, document.span.end)));
            parts.push((document.span.start, document.span.end));
        }
        parts.sort_unstable();
        Blocks { text: tree.text(), lines: LineIndex::new(tree.text()), parts }
    }

    /// The bytes in which a finding has to begin, so that a comment is about it.
    pub fn scope(&self, comment: Span) -> Span {
        let (start, end) = self.line(comment.start);
        if !self.before(comment).trim().is_empty() {
            return Span::new(start, end);
        }
        let Some((start, end)) = self.below(end) else { return Span::new(comment.start, comment.start) };
        let first = self.parts.partition_point(|(at, _)| *at < start);
        let here = self.parts[first..].iter().take_while(|(at, _)| *at < end);
        let last = here.map(|(_, to)| *to).max().unwrap_or(end);
        Span::new(start, last.max(end) + 1)
    }

    /// What to delete, so that a comment is gone and nothing else: its line, when it stands alone there.
    pub fn removal(&self, comment: Span) -> Span {
        let before = self.before(comment);
        let (start, end) = self.line(comment.start);
        if before.trim().is_empty() {
            return Span::new(start, end);
        }
        Span::new(start + before.trim_end().len() as u32, comment.end)
    }

    /// The next line that holds more than a comment: begin, end.
    fn below(&self, mut at: u32) -> Option<(u32, u32)> {
        while (at as usize) < self.text.len() {
            let (start, end) = self.line(at);
            let line = Span::new(start, end).slice(self.text).trim();
            if !line.is_empty() && !line.starts_with('#') {
                return Some((start, end));
            }
            at = end.max(at + 1);
        }
        None
    }

    /// The line around an offset, its line break included.
    fn line(&self, offset: u32) -> (u32, u32) {
        let line = self.lines.position(offset).line;
        let end = self.lines.start(line + 1).unwrap_or(self.text.len() as u32);
        (self.lines.start(line).unwrap_or(0), end)
    }

    /// What stands on the line of a comment, before it.
    fn before(&self, comment: Span) -> &str {
        let (start, _) = self.line(comment.start);
        Span::new(start, comment.start).slice(self.text)
    }
}
