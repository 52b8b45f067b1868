//! Offsets to lines and columns, and back.

/// A place as people and editors name it. Every number counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column in characters (Unicode scalar values).
    pub column: u32,
    /// Column in bytes of UTF-8.
    pub byte_column: u32,
    /// Column in UTF-16 code units, as the Language Server Protocol counts by default.
    pub utf16_column: u32,
}

/// A character of more than one byte. ASCII needs no entry, so most indexes hold none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide {
    offset: u32,
    bytes: u8,
    units: u8,
}

/// Where each line of one text starts.
///
/// A line ends after LF, CRLF or a lone CR. Texts are at most 4 GiB; offsets past that saturate.
/// Cost: 4 bytes a line and 8 bytes a non-ASCII character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    wide: Vec<Wide>,
    len: u32,
}

impl LineIndex {
    /// Reads `text` once.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let ends = byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            if ends {
                starts.push(saturate(at + 1));
            }
        }
        let wide = text
            .char_indices()
            .filter(|(_, c)| !c.is_ascii())
            .map(|(at, c)| Wide { offset: saturate(at), bytes: c.len_utf8() as u8, units: c.len_utf16() as u8 })
            .collect();
        LineIndex { starts, wide, len: saturate(text.len()) }
    }

    /// How many lines there are; at least 1. A final line break opens an empty last line.
    #[must_use]
    pub fn lines(&self) -> u32 {
        saturate(self.starts.len())
    }

    /// The offset at which a line (from 1) starts, or `None` past the last line.
    #[must_use]
    pub fn start(&self, line: u32) -> Option<u32> {
        let index = line.checked_sub(1)?;
        self.starts.get(index as usize).copied()
    }

    /// The position of a byte offset. An offset past the end gives the position of the end; one
    /// inside a character gives the position of that character.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let offset = offset.min(self.len);
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts[line - 1];
        let (mut chars, mut units, mut bytes) = (0, 0, offset - start);
        for wide in self.wide_from(start) {
            let end = wide.offset + u32::from(wide.bytes);
            if end > offset {
                if wide.offset < offset {
                    bytes = wide.offset - start;
                }
                break;
            }
            chars += u32::from(wide.bytes) - 1;
            units += u32::from(wide.bytes) - u32::from(wide.units);
        }
        Position {
            line: saturate(line),
            column: bytes - chars + 1,
            byte_column: bytes + 1,
            utf16_column: bytes - units + 1,
        }
    }

    /// The offset of a line and a column in characters, both from 1.
    ///
    /// Errors: `None` when the line does not exist or is shorter than `column - 1` characters
    /// (its line break counts).
    #[must_use]
    pub fn offset(&self, line: u32, column: u32) -> Option<u32> {
        self.advance(line, column, |_| 1)
    }

    /// The offset of a line and a column in UTF-16 units, both from 1.
    ///
    /// Errors: as [`Self::offset`]; a column inside a surrogate pair gives that character's start.
    #[must_use]
    pub fn offset_utf16(&self, line: u32, column: u32) -> Option<u32> {
        self.advance(line, column, |wide| u32::from(wide.units))
    }

    fn advance(&self, line: u32, column: u32, width: impl Fn(Wide) -> u32) -> Option<u32> {
        let start = self.start(line)?;
        let end = self.start(line.checked_add(1)?).unwrap_or(self.len);
        let mut left = column.checked_sub(1)?;
        let mut at = start;
        for &wide in self.wide_from(start) {
            let plain = wide.offset - at;
            if wide.offset >= end || left <= plain {
                break;
            }
            left -= plain;
            if left < width(wide) {
                return Some(wide.offset);
            }
            left -= width(wide);
            at = wide.offset + u32::from(wide.bytes);
        }
        at.checked_add(left).filter(|&offset| offset <= end)
    }

    fn wide_from(&self, start: u32) -> &[Wide] {
        &self.wide[self.wide.partition_point(|wide| wide.offset < start)..]
    }
}

fn saturate(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: u32, line: u32, column: u32) {
        let position = LineIndex::new(text).position(offset);
        assert_eq!((position.line, position.column), (line, column));
    }

    #[test]
    fn lines_end_after_lf_crlf_and_cr() {
        check("a\nb\r\nc\rd", 0, 1, 1);
        check("a\nb\r\nc\rd", 2, 2, 1);
        check("a\nb\r\nc\rd", 3, 2, 2);
        check("a\nb\r\nc\rd", 4, 2, 3);
        check("a\nb\r\nc\rd", 5, 3, 1);
        check("a\nb\r\nc\rd", 7, 4, 1);
        assert_eq!(LineIndex::new("a\n").lines(), 2);
        assert_eq!(LineIndex::new("").lines(), 1);
    }

    #[test]
    fn columns_count_characters_bytes_and_utf16_units_apart() {
        let index = LineIndex::new("x\né😀z");
        let z = index.position(8);
        assert_eq!((z.line, z.column, z.byte_column, z.utf16_column), (2, 3, 7, 4));
    }

    #[test]
    fn an_offset_past_the_end_or_inside_a_character_still_has_a_position() {
        check("é", 1, 1, 1);
        check("é", 99, 1, 2);
        check("", 1, 1, 1);
    }

    #[test]
    fn a_column_past_its_line_has_no_offset() {
        let index = LineIndex::new("ab\nc");
        assert_eq!(index.offset(1, 4), Some(3));
        assert_eq!(index.offset(1, 5), None);
        assert_eq!(index.offset(0, 1), None);
        assert_eq!(index.offset(1, 0), None);
        assert_eq!(index.offset(3, 1), None);
    }

    #[test]
    fn position_and_offset_are_inverse_on_every_boundary() {
        let text = "aé\r\n😀 ü\rñ\n\n漢字x";
        let index = LineIndex::new(text);
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let at = at as u32;
            let position = index.position(at);
            assert_eq!(index.offset(position.line, position.column), Some(at));
            assert_eq!(index.offset_utf16(position.line, position.utf16_column), Some(at));
            let start = index.start(position.line);
            assert_eq!(start.map(|s| s + position.byte_column - 1), Some(at));
        }
    }
}
