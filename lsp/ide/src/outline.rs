//! What lines alone say of a text, whatever is broken in it: documents, words, comments, indentation, open brackets.

use source::Span;

/// Where the line of an offset begins.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

/// The document around an offset: from behind one `---` to before the next.
pub(crate) fn document(text: &str, offset: usize) -> Span {
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let is_mark = ["---", "..."].iter().any(|mark| {
            line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        });
        if is_mark && at >= offset && at > start {
            return Span::new(start as u32, at as u32);
        }
        if is_mark {
            // Why: `--- {a: b}` begins its document on its own line.
            start = if line[3..].trim().is_empty() { end } else { at + 3 };
        }
        at = end;
    }
    Span::new(start.min(text.len()) as u32, text.len() as u32)
}

/// The word at an offset, quotes and brackets left out.
pub(crate) fn word(text: &str, offset: usize) -> Span {
    let line = line_start(text, offset);
    let before = &text[line..offset];
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '{' | '}' | ',' | '"' | '\'');
    let mut start = before.rfind(is_edge).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    // Why: behind `key:` a value is to come, though no space is there yet.
    if before.ends_with(':') && before.len() > start + 1 && !SOURCES.contains(&&before[start..]) {
        start = before.len();
    }
    if before[..start].trim().is_empty() && before[start..] == *"-" {
        start += 1;
    }
    let after = &text[offset..];
    let mut end = after.find(is_edge).unwrap_or(after.len());
    let word = &after[..end];
    if let Some(colon) = word.rfind(':').filter(|at| at + 1 == word.len()) {
        end = colon;
    }
    Span::new((line + start) as u32, (offset + end) as u32)
}

/// What may stand before the key of a label.
pub(crate) const SOURCES: [&str; 2] = ["k8s:", "any:"];

/// Where a comment begins in a line, quoted text left out.
pub(crate) fn comment(line: &str) -> Option<usize> {
    let (mut quote, mut last) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if last.is_whitespace() => return Some(at),
            (None, '"' | '\'') if last.is_whitespace() || matches!(last, '[' | '{' | ',' | ':') => quote = Some(c),
            (Some(open), c) if open == c && last != '\\' => quote = None,
            _ => {}
        }
        last = c;
    }
    None
}

/// What closes the brackets that a text leaves open, innermost first.
pub(crate) fn closers(text: &str) -> String {
    let mut open: Vec<char> = Vec::new();
    for line in text.lines() {
        let line = &line[..comment(line).unwrap_or(line.len())];
        let (mut quote, mut last) = (None, ' ');
        for c in line.chars() {
            match (quote, c) {
                (None, '"' | '\'') if last.is_whitespace() || matches!(last, '[' | '{' | ',' | ':') => quote = Some(c),
                (Some(open), c) if open == c && last != '\\' => quote = None,
                (Some(_), _) => {}
                (None, '[') if !open.is_empty() || starts_flow(last) => open.push(']'),
                (None, '{') if !open.is_empty() || starts_flow(last) => open.push('}'),
                (None, ']' | '}') if open.last() == Some(&c) => drop(open.pop()),
                _ => {}
            }
            last = c;
        }
    }
    open.iter().rev().collect()
}

/// Whether a bracket after this character opens a collection, and is no part of a word.
fn starts_flow(last: char) -> bool {
    last.is_whitespace() || matches!(last, '[' | '{' | ',')
}

/// A document of those lines alone that a mark is indented below, with the lines that say what the object is.
pub(crate) fn ancestors(before: &str, mark: &str) -> String {
    let mut lines: Vec<&str> = before.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let lead = lines.pop().unwrap_or_default();
    let mut floor = column(lead);
    let mut kept = Vec::new();
    let mut head = Vec::new();
    for line in lines.iter().rev().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let indent = line.len() - line.trim_start().len();
        let key = column(line);
        let is_head = ["apiVersion:", "kind:", "metadata:"].iter().any(|word| line.starts_with(word));
        if is_head && floor > 0 && !line.starts_with("metadata:") {
            head.push((*line).to_owned());
            continue;
        }
        if key < floor && line.trim_end().ends_with(':') {
            kept.push((*line).to_owned());
            floor = key;
        } else if indent < floor && indent < key {
            kept.push(format!("{}-", " ".repeat(indent)));
            floor = indent + 1;
        }
    }
    kept.reverse();
    head.reverse();
    let above: String = head.iter().chain(&kept).map(|line| format!("{line}\n")).collect();
    // Why: a dash that is kept alone needs its members on lines of their own, one column deeper at least.
    format!("{above}{lead}{mark}\n")
}

/// The column at which the content of a line begins, dashes of lists passed over.
fn column(line: &str) -> usize {
    let content = line.trim_start_matches([' ', '-']);
    match line[..line.len() - content.len()].rfind('-') {
        Some(dash) if !content.is_empty() && !line[dash + 1..].starts_with(' ') => dash,
        _ => line.len() - content.len(),
    }
}
