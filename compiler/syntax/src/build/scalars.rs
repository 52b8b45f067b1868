//! Scalars: from the parser's text to a value.

use source::Span;

use super::Builder;
use crate::chunks::lines;
use crate::event::Properties;
use crate::scalar::{self, Resolved};
use crate::tree::Data;
use crate::{ProblemKind, ScalarStyle};

impl Builder<'_> {
    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle, properties: &Properties<'_>, span: Span) {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let span = if block { self.block_span(span) } else { span };
        // Why: the parser names an absent value `~`; only its empty span tells them apart.
        let absent = style == ScalarStyle::Plain && span.is_empty();
        let text = if absent { "" } else { text };
        let span = if absent { self.absent_span(span) } else { span };
        if style == ScalarStyle::Plain {
            self.check_plain(span);
        }
        let resolved = match properties.tag() {
            None if style == ScalarStyle::Plain => scalar::resolve(text),
            None => Resolved::Text,
            Some(tag) => scalar::resolve_as(&tag, text).unwrap_or_else(|| {
                self.problem(ProblemKind::TagMismatch { tag }, span, None);
                Resolved::Text
            }),
        };
        let data = match resolved {
            Resolved::Null => Data::Null,
            Resolved::Bool(value) => Data::Bool(value),
            Resolved::Int(value) => Data::Int(value),
            Resolved::UInt(value) => Data::UInt(value),
            Resolved::Float(value) => Data::Float(value),
            Resolved::Text => self.text(text, style, span),
            Resolved::NotJson => {
                self.problem(ProblemKind::NotJson, span, None);
                self.text(text, style, span)
            }
        };
        self.leaf(data, span, style, properties.anchor);
    }

    /// Text that stands in the source as it is needs no copy.
    pub(super) fn text(&mut self, text: &str, style: ScalarStyle, span: Span) -> Data {
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let inner = if quoted && span.len() >= 2 { Span::new(span.start + 1, span.end - 1) } else { span };
        let source = inner.slice(&self.tree.text);
        let restored = self.masked && source.len() == text.len();
        if source == text || restored {
            return Data::Source(inner.start, inner.end);
        }
        let start = self.tree.decoded.len() as u32;
        self.tree.decoded.push_str(text);
        Data::Decoded(start, self.tree.decoded.len() as u32)
    }

    /// The parser lets a comment pass inside a plain scalar when a tab precedes it; the API server's
    /// reader does not.
    pub(super) fn check_plain(&mut self, span: Span) {
        if !span.slice(&self.tree.text).bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return;
        }
        let text = self.tree.text.clone();
        let raw = span.slice(&text);
        let Some(first) = lines(raw).next().filter(|line| line.len() < raw.len()) else {
            return;
        };
        let mut at = span.start + first.len() as u32;
        for line in lines(&raw[first.len()..]) {
            let indent = (line.len() - line.trim_ascii_start().len()) as u32;
            if line.trim_ascii_start().starts_with('#') {
                let message = "a comment cannot stand inside a plain value".to_owned();
                let comment = Span::new(at + indent, at + line.trim_ascii_end().len() as u32);
                return self.problem(ProblemKind::Syntax { message }, comment, None);
            }
            at += line.len() as u32;
        }
    }
}
