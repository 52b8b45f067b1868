//! Reads what most texts are made of: block mappings and sequences of words and quoted texts, with small flow collections between them.
//!
//! It makes the same events as the parser, several times as fast, and gives up at whatever it is not sure about: anchors, tags, block
//! scalars, escapes, tabs, characters beyond ASCII, a line that continues another, and everything that is wrong. Whoever calls it then
//! asks the parser, so that nothing but time depends on this file. Law: where it does not give up, the tree is the parser's
//! (`tests/syntax/quick.rs`).

use std::borrow::Cow;

use source::Span;

use crate::build::Builder;
use crate::event::{Event, Properties};
use crate::{NodeId, ScalarStyle};

/// The longest key that is surely one: YAML allows 1024 characters.
const LONGEST_KEY: usize = 1000;

/// Gives the events of a chunk to a builder; `None` when it gives up, and then what the builder made is worth nothing.
pub(crate) fn read(chunk: &str, builder: &mut Builder<'_>) -> Option<Vec<NodeId>> {
    let bytes = chunk.as_bytes();
    if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return None;
    }
    let mut reader = Reader { text: chunk, bytes, at: 0, open: Vec::new(), begun: false, builder };
    reader.document()?;
    builder.finish();
    Some(std::mem::take(&mut builder.roots))
}

/// An open block collection.
struct Open {
    /// The column of its keys or dashes.
    indent: usize,
    sequence: bool,
    /// Where the colon stands whose value has not been read, or the dash.
    waits: Option<usize>,
}

struct Reader<'t, 'b, 'a> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    open: Vec<Open>,
    /// Whether the document's value has begun.
    begun: bool,
    builder: &'b mut Builder<'a>,
}

impl<'t> Reader<'t, '_, '_> {
    fn document(&mut self) -> Option<()> {
        if self.bytes.starts_with(b"---") {
            self.at = 3;
            self.rest_of_line()?;
        }
        while self.at < self.bytes.len() {
            let start = self.at;
            self.blanks();
            match self.peek() {
                None => break,
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.rest_of_line()?,
                Some(_) => self.line(start)?,
            }
        }
        // Why: nothing at all, and a text that is one scalar, are left to the parser.
        self.open.first()?;
        while !self.open.is_empty() {
            self.close()?;
        }
        Some(())
    }

    /// A line that says something, from its first character on.
    fn line(&mut self, start: usize) -> Option<()> {
        if self.at == start && (self.rest().starts_with(b"---") || self.rest().starts_with(b"...")) {
            return None;
        }
        loop {
            let column = self.at - start;
            if self.at_dash() {
                self.dash(column)?;
                self.blanks();
                // Why: what stands below its dash, or nowhere, is rare.
                if matches!(self.peek(), None | Some(b'\n' | b'#')) {
                    return None;
                }
                continue;
            }
            let scalar = self.scalar()?;
            return match self.peek() {
                Some(b':') => self.entry(scalar, column),
                _ => self.item(scalar),
            };
        }
    }

    /// A scalar that is a member of a sequence, or a flow collection, which [`Reader::scalar`] leaves where it stands.
    fn item(&mut self, scalar: Option<Scalar>) -> Option<()> {
        self.open.last_mut().filter(|top| top.sequence)?.waits.take()?;
        self.value(scalar)
    }

    fn value(&mut self, scalar: Option<Scalar>) -> Option<()> {
        match scalar {
            Some(scalar) => self.emit(scalar)?,
            None => self.flow(0)?,
        }
        self.rest_of_line()
    }

    /// A key, and its value where that stands on the line.
    fn entry(&mut self, key: Option<Scalar>, column: usize) -> Option<()> {
        let key = key.filter(|key| key.end - key.start <= LONGEST_KEY)?;
        let colon = self.at;
        self.at += 1;
        if !matches!(self.peek(), None | Some(b' ' | b'\n')) {
            return None;
        }
        self.place(column, false, key.start)?;
        self.emit(key)?;
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b'#') => {
                self.open.last_mut()?.waits = Some(colon);
                self.rest_of_line()
            }
            Some(_) if self.at_dash() => None,
            Some(_) => {
                let scalar = self.scalar()?;
                if self.peek() == Some(b':') {
                    return None;
                }
                self.value(scalar)
            }
        }
    }

    fn dash(&mut self, column: usize) -> Option<()> {
        self.place(column, true, self.at)?;
        self.open.last_mut()?.waits = Some(self.at);
        self.at += 1;
        Some(())
    }

    /// Finds the collection whose next member begins at a column, closing those that end before and opening the one that begins.
    fn place(&mut self, column: usize, sequence: bool, offset: usize) -> Option<()> {
        self.close_to(column, sequence)?;
        match self.open.last_mut() {
            // A member of a sequence that has begun on this line, or the value of a key.
            Some(top)
                if top.waits.is_some()
                    && (column > top.indent || sequence && !top.sequence && column == top.indent) =>
            {
                top.waits = None;
            }
            Some(top) if column == top.indent && top.sequence == sequence => {
                return match top.waits.take() {
                    Some(colon) if !sequence => self.absent(colon),
                    Some(_) => None,
                    None => Some(()),
                };
            }
            None if !self.begun => self.begun = true,
            Some(_) | None => return None,
        }
        self.open.push(Open { indent: column, sequence, waits: None });
        let span = Span::at(offset as u32);
        let (style, none) = (ScalarStyle::Block, Properties { anchor: None, tag: None });
        let event = if sequence { Event::Sequence(style, none) } else { Event::Mapping(style, none) };
        self.builder.event(event, span).ok()
    }

    /// Closes what is deeper than a column, and a sequence at the column of its mapping's keys where a key follows.
    fn close_to(&mut self, column: usize, sequence: bool) -> Option<()> {
        while let Some(top) = self.open.last() {
            let beside = top.indent == column && top.sequence && !sequence;
            if top.indent <= column && !beside {
                break;
            }
            self.close()?;
        }
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        let top = self.open.pop()?;
        match top.waits {
            Some(_) if top.sequence => return None,
            Some(colon) => self.absent(colon)?,
            None => {}
        }
        self.builder.event(Event::Close, Span::at(self.at as u32)).ok()
    }

    /// The value of a key that has none.
    fn absent(&mut self, colon: usize) -> Option<()> {
        let none = Properties { anchor: None, tag: None };
        self.builder.event(Event::Scalar(Cow::Borrowed("~"), ScalarStyle::Plain, none), Span::at(colon as u32)).ok()
    }

    /// Reads a word or a quoted text; `Some(None)` where a flow collection begins.
    fn scalar(&mut self) -> Option<Option<Scalar>> {
        match self.peek()? {
            b'{' | b'[' => Some(None),
            quote @ (b'"' | b'\'') => self.quoted(quote).map(Some),
            _ => self.word(false).map(Some),
        }
    }

    /// Text in quotes, without escapes, on one line.
    fn quoted(&mut self, quote: u8) -> Option<Scalar> {
        let start = self.at;
        let inner = &self.bytes[start + 1..];
        let length = inner.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n'))?;
        if inner[length] != quote && (quote == b'"' || inner[length] == b'\n') {
            return None;
        }
        // Why: a backslash is a character like others between single quotes.
        let length = length + inner[length..].iter().position(|byte| *byte == quote || *byte == b'\n')?;
        self.at = start + 1 + length + 1;
        if inner[length] == b'\n' || self.peek() == Some(quote) {
            return None;
        }
        let style = if quote == b'"' { ScalarStyle::DoubleQuoted } else { ScalarStyle::SingleQuoted };
        Some(Scalar { start, end: self.at, style })
    }

    /// A plain scalar, up to what ends it: the end of the line, a comment, a colon that makes it a key.
    fn word(&mut self, flow: bool) -> Option<Scalar> {
        let start = self.at;
        match self.peek()? {
            b'-' if !matches!(
                self.bytes.get(start + 1),
                None | Some(b' ' | b'\n' | b',' | b'[' | b']' | b'{' | b'}')
            ) => {}
            b'0'..=b'9'
            | b'a'..=b'z'
            | b'A'..=b'Z'
            | b'.'
            | b'/'
            | b'_'
            | b'$'
            | b'~'
            | b'+'
            | b'('
            | b'<'
            | b'='
            | b'^' => {}
            _ => return None,
        }
        let mut end = start;
        for (offset, byte) in self.bytes[start..].iter().enumerate() {
            let at = start + offset;
            match byte {
                b'\n' => break,
                b' ' => continue,
                b'#' if end < at => break,
                b':' if matches!(self.bytes.get(at + 1), None | Some(b' ' | b'\n')) => break,
                b':' if flow && matches!(self.bytes[at + 1], b',' | b'[' | b']' | b'{' | b'}') => break,
                b',' | b'[' | b']' | b'{' | b'}' if flow => break,
                _ => end = at + 1,
            }
        }
        self.at = end;
        Some(Scalar { start, end, style: ScalarStyle::Plain })
    }

    /// A flow collection on one line, from its bracket on.
    fn flow(&mut self, depth: usize) -> Option<()> {
        // Why: readers of trees may recurse as deep as the limit allows, this one need not.
        if depth > 16 {
            return None;
        }
        let mapping = self.peek()? == b'{';
        let close = if mapping { b'}' } else { b']' };
        let none = Properties { anchor: None, tag: None };
        let event =
            if mapping { Event::Mapping(ScalarStyle::Flow, none) } else { Event::Sequence(ScalarStyle::Flow, none) };
        self.builder.event(event, self.one()).ok()?;
        self.at += 1;
        self.blanks();
        if self.peek()? != close {
            loop {
                self.member(mapping, depth)?;
                self.blanks();
                match self.peek()? {
                    b',' => self.at += 1,
                    byte if byte == close => break,
                    _ => return None,
                }
                self.blanks();
            }
        }
        self.builder.event(Event::Close, self.one()).ok()?;
        self.at += 1;
        Some(())
    }

    fn member(&mut self, mapping: bool, depth: usize) -> Option<()> {
        if mapping {
            let key = self.flow_scalar()?;
            if key.end - key.start > LONGEST_KEY || self.peek()? != b':' || *self.bytes.get(self.at + 1)? != b' ' {
                return None;
            }
            self.emit(key)?;
            self.at += 1;
            self.blanks();
        }
        match self.peek()? {
            b'{' | b'[' => self.flow(depth + 1)?,
            _ => {
                let scalar = self.flow_scalar()?;
                self.emit(scalar)?;
            }
        }
        // Why: a colon here would make a mapping of one entry, or a key of a collection.
        let at = self.at;
        self.blanks();
        (at <= self.at && self.peek()? != b':').then_some(())
    }

    fn flow_scalar(&mut self) -> Option<Scalar> {
        match self.peek()? {
            quote @ (b'"' | b'\'') => self.quoted(quote),
            _ => self.word(true),
        }
    }

    fn emit(&mut self, scalar: Scalar) -> Option<()> {
        let quote = usize::from(scalar.style != ScalarStyle::Plain);
        let text = &self.text[scalar.start + quote..scalar.end - quote];
        let none = Properties { anchor: None, tag: None };
        let span = Span::new(scalar.start as u32, scalar.end as u32);
        self.builder.event(Event::Scalar(Cow::Borrowed(text), scalar.style, none), span).ok()
    }

    /// Nothing but blanks and perhaps a comment, up to the next line.
    fn rest_of_line(&mut self) -> Option<()> {
        let from = self.at;
        self.blanks();
        match self.peek() {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'#') if self.at > from || from == 0 || matches!(self.bytes[from - 1], b'\n' | b' ') => {
                let rest = self.rest();
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                let span = Span::new(self.at as u32, (self.at + length) as u32);
                self.builder.event(Event::Comment, span).ok()?;
                self.at = (self.at + length + 1).min(self.bytes.len());
            }
            Some(_) => return None,
        }
        Some(())
    }

    /// Whether a dash stands here that begins a member of a sequence.
    fn at_dash(&self) -> bool {
        self.peek() == Some(b'-') && matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\n'))
    }

    fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'t [u8] {
        &self.bytes[self.at..]
    }

    /// The span of the character here.
    fn one(&self) -> Span {
        Span::new(self.at as u32, self.at as u32 + 1)
    }
}

/// A scalar with its quotes.
#[derive(Clone, Copy)]
struct Scalar {
    start: usize,
    end: usize,
    style: ScalarStyle,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Tree};

    #[track_caller]
    fn check(text: &str, wanted: bool) {
        let mut repeated = 0;
        let (mut tree, limits) = (Tree::new(text), Limits::default());
        let mut builder = Builder::new(&mut tree, &limits, 0, false, &mut repeated);
        assert_eq!(read(text, &mut builder).is_some(), wanted, "{text:?}");
    }

    #[test]
    fn what_most_texts_are_made_of_needs_no_parser() {
        check(
            "# a\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a # b\n  labels: {app: b, tier: \"c\"}\nspec:\n",
            true,
        );
        check("---\na:\n- b: c\n  d:\n    - 'e f'\n    - - 10.0.0.0/8\n\n  g: k8s:h\n", true);
    }

    #[test]
    fn it_gives_up_where_it_is_not_sure() {
        for text in [
            "",
            "a",
            "a: é",
            "a:\tb",
            "a: |\n  b",
            "a: &b c",
            "a: \"\\n\"",
            "a: b\n  c",
            "a: b\n c: d",
            "[a]",
            "- a\nb: c",
        ] {
            check(text, false);
        }
    }
}
