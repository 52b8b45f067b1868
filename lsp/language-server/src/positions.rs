//! Byte offsets to the positions of the protocol, and back, in the encoding that was agreed.

use gen_lsp_types::{Position, PositionEncodingKind, Range};
use source::{LineIndex, Span};

/// In what a column is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what the protocol counts where nothing is agreed.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first that a client offers and we know.
    pub fn agreed(offered: &[PositionEncodingKind]) -> Encoding {
        offered.iter().find_map(Encoding::named).unwrap_or_default()
    }

    fn named(kind: &PositionEncodingKind) -> Option<Encoding> {
        [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32].into_iter().find(|it| it.kind() == *kind)
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }
}

/// The lines of one text, and how columns are counted.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'t> {
    /// Where lines begin.
    pub index: &'t LineIndex,
    /// How columns are counted.
    pub encoding: Encoding,
}

impl Lines<'_> {
    /// The position of an offset.
    pub fn position(&self, offset: u32) -> Position {
        let at = self.index.position(offset);
        let column = match self.encoding {
            Encoding::Utf8 => at.byte_column,
            Encoding::Utf16 => at.utf16_column,
            Encoding::Utf32 => at.column,
        };
        Position { line: at.line - 1, character: column - 1 }
    }

    /// The range of some bytes.
    pub fn range(&self, span: Span) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    /// The offset of a position, always on the boundary of a character.
    ///
    /// A column beyond its line is the end of the line, before its break, as the protocol wants; a line beyond the text is its end.
    pub fn offset(&self, text: &str, position: Position) -> u32 {
        let Some(start) = self.index.start(position.line.saturating_add(1)) else {
            return u32::try_from(text.len()).unwrap_or(u32::MAX);
        };
        let line = text.get(start as usize..).unwrap_or_default();
        let line = line.split(['\n', '\r']).next().unwrap_or_default();
        let (mut left, mut bytes) = (position.character, 0);
        for it in line.chars() {
            let width = match self.encoding {
                Encoding::Utf8 => it.len_utf8(),
                Encoding::Utf16 => it.len_utf16(),
                Encoding::Utf32 => 1,
            };
            let Some(rest) = left.checked_sub(width as u32) else { break };
            left = rest;
            bytes += it.len_utf8() as u32;
        }
        start + bytes
    }

    /// The bytes of a range.
    pub fn span(&self, text: &str, range: Range) -> Span {
        Span::new(self.offset(text, range.start), self.offset(text, range.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "aé\r\n😀 ü\rñ\n\n漢字x";

    #[test]
    fn each_encoding_counts_its_own_units() {
        let index = LineIndex::new(TEXT);
        let at = |encoding| Lines { index: &index, encoding }.position(TEXT.find('ü').unwrap() as u32);
        assert_eq!(at(Encoding::Utf8), Position { line: 1, character: 5 });
        assert_eq!(at(Encoding::Utf16), Position { line: 1, character: 3 });
        assert_eq!(at(Encoding::Utf32), Position { line: 1, character: 2 });
    }

    #[test]
    fn positions_and_offsets_are_inverse_on_every_boundary() {
        let index = LineIndex::new(TEXT);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let lines = Lines { index: &index, encoding };
            for (at, it) in TEXT.char_indices().chain([(TEXT.len(), ' ')]) {
                // Between the two bytes of a line break there is no position.
                if it == '\n' && at > 0 && TEXT.as_bytes()[at - 1] == b'\r' {
                    continue;
                }
                assert_eq!(lines.offset(TEXT, lines.position(at as u32)), at as u32, "{encoding:?} {at}");
            }
        }
    }

    #[test]
    fn what_lies_beyond_a_line_is_its_end_and_beyond_the_text_the_texts() {
        let index = LineIndex::new(TEXT);
        let lines = Lines { index: &index, encoding: Encoding::Utf16 };
        assert_eq!(lines.offset(TEXT, Position { line: 0, character: 99 }), 3);
        assert_eq!(lines.offset(TEXT, Position { line: 1, character: 1 }), 5, "in the middle of a pair");
        assert_eq!(lines.offset(TEXT, Position { line: 99, character: 0 }), TEXT.len() as u32);
    }

    #[test]
    fn the_first_known_encoding_that_is_offered_is_agreed() {
        assert_eq!(Encoding::agreed(&[]), Encoding::Utf16);
        assert_eq!(Encoding::agreed(&[PositionEncodingKind::UTF32, PositionEncodingKind::UTF8]), Encoding::Utf32);
    }
}
