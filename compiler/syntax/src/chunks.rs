//! Splits a text at its document markers, so that one broken document cannot spoil the next.
//!
//! A line that starts with `---` and a blank begins a document wherever it stands, in block scalars
//! as well (YAML 1.2.2 §9.1.4); within quotes it is an error. The split therefore needs no parser.

use std::ops::Range;

/// The byte ranges of the documents, adjacent, covering the text; none for an empty text.
pub(crate) fn split(text: &str) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut directives = false;
    let mut content = false;
    for line in lines(text) {
        let bare = line.trim_start_matches('\u{feff}');
        if is_marker(bare, "---") {
            // Why: `%YAML` lines belong to the document that follows them.
            if at > start && !directives {
                chunks.push(start..at);
                start = at;
            }
            directives = false;
            content = true;
        } else if is_marker(bare, "...") {
            content = false;
        } else if bare.starts_with('%') && !content {
            directives = true;
        } else if !bare.trim_ascii().is_empty() && !bare.starts_with('#') {
            content = true;
            directives = false;
        }
        at += line.len();
    }
    if at > start {
        chunks.push(start..at);
    }
    chunks
}

/// Lines with their breaks; LF, CRLF and lone CR all end a line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let end = match bytes.iter().position(|&b| b == b'\n' || b == b'\r') {
            Some(at) if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None => bytes.len(),
        };
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let chunks: Vec<&str> = split(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(chunks, expected);
        assert_eq!(chunks.concat(), text);
    }

    #[test]
    fn a_marker_line_begins_a_chunk() {
        check("a\n---\nb\n--- c\n---", &["a\n", "---\nb\n", "--- c\n", "---"]);
        check("---\na\n---\nb", &["---\na\n", "---\nb"]);
        check("", &[]);
    }

    #[test]
    fn dashes_inside_a_line_or_a_word_begin_none() {
        check("a\n ---\n---x\n", &["a\n ---\n---x\n"]);
    }

    #[test]
    fn directives_stay_with_their_document() {
        check("%YAML 1.1\n---\na\n---\nb\n", &["%YAML 1.1\n---\na\n", "---\nb\n"]);
        check("a\n...\n%YAML 1.1\n---\nb\n", &["a\n...\n%YAML 1.1\n---\nb\n"]);
        check("a: |\n%x\n---\nb\n", &["a: |\n%x\n", "---\nb\n"]);
    }

    #[test]
    fn every_line_break_counts() {
        check("a\r\n---\r\nb\r---\rc", &["a\r\n", "---\r\nb\r", "---\rc"]);
    }
}
