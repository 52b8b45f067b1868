//! Template actions (`{{ … }}`) in text that was to be rendered first.

use std::ops::Range;

use crate::chunks::lines;

/// The first action of a text, braces included; an unclosed one reaches to the end of its line.
pub(crate) fn first(text: &str) -> Option<Range<usize>> {
    find(text, 0)
}

fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + text.get(from..)?.find("{{")?;
    let rest = &text[start..];
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let end = rest.find("}}").map_or(line, |at| at + 2);
    Some(start..start + end)
}

/// The text with every action replaced, byte for byte: by letters within a line, by blanks where a
/// line holds nothing else. What remains can be read as YAML and keeps its offsets.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    let mut action = vec![false; masked.len()];
    let mut at = 0;
    while let Some(range) = find(text, at) {
        at = range.end.max(at + 2);
        for index in range {
            if !matches!(masked[index], b'\n' | b'\r') {
                masked[index] = b'x';
                action[index] = true;
            }
        }
    }
    let mut start = 0;
    for line in lines(text) {
        let range = start..start + line.len();
        start = range.end;
        let holds_more = range.clone().any(|i| !action[i] && !masked[i].is_ascii_whitespace());
        if !holds_more {
            for index in range.filter(|&i| action[i]) {
                masked[index] = b' ';
            }
        }
    }
    // Cannot panic: whole characters become ASCII; were it otherwise, nothing is masked.
    String::from_utf8(masked).unwrap_or_else(|_| text.to_owned())
}
