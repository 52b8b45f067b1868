//! Spans: where values really begin and end, from what the parser says and what the text shows.

use source::Span;

use super::Builder;
use crate::chunks::lines;
use crate::tree::Node;
use crate::{NodeId, ScalarStyle};

impl Builder<'_> {
    /// The first dash of a block sequence, which the parser places at the dash or, where the sequence is not
    /// indented, after it.
    pub(super) fn first_dash(&self, item: Span) -> Span {
        let text = &self.tree.text;
        let mut from = self.token_end;
        let to = item.end + 1;
        // Why: the first dash of the sequence around is a token we have passed, its others are not.
        let around = self.frames.last().filter(|frame| {
            let node = &self.tree.nodes[frame.node.0 as usize];
            !frame.mapping && node.style == ScalarStyle::Block
        });
        if around.is_some_and(|frame| self.children.len() > frame.first) {
            from = indicator(text, from, to, b"-").map_or(from, |at| at + 1);
        }
        indicator(text, from, to, b"-").map_or(item, |at| Span::new(at, at + 1))
    }

    /// Brackets delimit a flow collection; a block collection is as long as its children.
    pub(super) fn collection_span(&self, own: &Node, children: &[NodeId], mapping: bool, end: Span) -> Span {
        let bracket = self.tree.text.as_bytes().get(own.span.start as usize);
        if own.style == ScalarStyle::Flow && matches!(bracket, Some(b'{' | b'[')) {
            return Span::new(own.span.start, end.end.max(own.span.end));
        }
        let span_of = |id: &NodeId| self.tree.nodes[id.0 as usize].span;
        let first = children.first().map_or(own.span, span_of);
        let last = children.last().map_or(first, span_of);
        let start = if mapping { first.start } else { own.span.start.min(first.start) };
        Span::new(start, last.end)
    }

    /// The parser puts an absent value before the colon of its key, or at the next token; ours
    /// stands after the colon, on the line of the token before.
    pub(super) fn absent_span(&self, span: Span) -> Span {
        let before = Span::new(self.token_end, span.start).slice(&self.tree.text);
        let blanks = before.len() - before.trim_ascii_end().len();
        let at = span.start - blanks as u32;
        let is_value =
            self.frames.last().is_some_and(|frame| frame.mapping && (self.children.len() - frame.first) % 2 == 1);
        let colon = self.tree.text.as_bytes().get(at as usize) == Some(&b':');
        Span::at(at + u32::from(is_value && colon))
    }

    /// The parser's span of a block scalar starts at its content and ends after blank lines. Ours
    /// starts at `|` or `>` and ends after the last line that counts.
    pub(super) fn block_span(&self, content: Span) -> Span {
        let text = &self.tree.text;
        let Some(start) = indicator(text, self.token_end, content.end, b"|>") else {
            return content;
        };
        let end = content.end.max(start + 1);
        let whole = Span::new(start, end).slice(text);
        let header = whole.split(['\n', '\r', ' ', '#']).next().unwrap_or("");
        // Why: `+` keeps blank lines, and an explicit indent does not show which lines are blank.
        if header.contains(|c: char| c == '+' || c.is_ascii_digit()) {
            return Span::new(start, end);
        }
        let body = whole.find('\n').map_or("", |at| &whole[at + 1..]);
        let mut length = whole.len();
        // Why: a tab is content, and so are the blanks by which a line is longer than the indent.
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let bare = |line: &str| line.trim_end_matches(['\n', '\r']).len();
        let mut filled = lines(body).filter(|line| spaces(line) < bare(line));
        let indent = filled.next().map_or(usize::MAX, spaces);
        let blank = |line: &&str| spaces(line) == bare(line) && bare(line) <= indent;
        let all: Vec<&str> = lines(body).collect();
        for line in all.iter().rev().take_while(|line| blank(line)) {
            length -= line.len();
        }
        Span::new(start, start + length as u32)
    }
}

/// Finds one of the indicators `wanted` between the end of a token and the next token, past
/// blanks, comments, tags and anchors.
fn indicator(text: &str, from: u32, to: u32, wanted: &[u8]) -> Option<u32> {
    let bytes = text.as_bytes();
    let mut at = from as usize;
    let to = (to as usize).min(bytes.len());
    while at < to {
        let byte = bytes[at];
        let line_start = at == 0 || matches!(bytes[at - 1], b'\n' | b'\r');
        let rest = &bytes[at..];
        at = match byte {
            b'#' | b'%' => skip(bytes, at, b"\n\r"),
            b'-' | b'.' if line_start && (rest.starts_with(b"---") || rest.starts_with(b"...")) => at + 3,
            _ if wanted.contains(&byte) => return Some(at as u32),
            b'&' | b'!' => skip(bytes, at, b" \t\n\r"),
            _ => at + 1,
        };
    }
    None
}

fn skip(bytes: &[u8], from: usize, stop: &[u8]) -> usize {
    let rest = &bytes[from..];
    let length = rest.iter().position(|byte| stop.contains(byte));
    from + length.unwrap_or(rest.len())
}
