//! The documents that a client has open: their texts are theirs, whatever the disk says.

use crate::positions::{Encoding, Lines};
use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};
use source::LineIndex;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An open document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// As the client names it.
    pub uri: Uri,
    /// As the client counts.
    pub version: i32,
}

/// An open document that is left out of its folder, with its text, as the configuration may let it in later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub document: Document,
    pub text: String,
}

/// The open documents, by [`key`].
pub(crate) type Documents = BTreeMap<String, Document>;

/// What the database calls a document: the path of a file, and of anything else its address.
pub(crate) fn key(uri: &Uri) -> String {
    path(uri).map_or_else(|| uri.to_string(), |it| it.to_string_lossy().into_owned())
}

/// The path of a file; `None` for what is none.
pub(crate) fn path(uri: &Uri) -> Option<PathBuf> {
    (uri.scheme() == "file").then(|| uri.to_file_path().ok()).flatten()
}

/// The address of a key.
pub(crate) fn uri(key: &str) -> Option<Uri> {
    Uri::from_file_path(key).ok().or_else(|| Uri::parse(key).ok())
}

/// Applies changes in order, each to what the last one left.
pub(crate) fn apply(text: &str, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) -> String {
    let mut text = text.to_owned();
    for change in changes {
        match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(it) => {
                let index = LineIndex::new(&text);
                let span = Lines { index: &index, encoding }.span(&text, it.range);
                text.replace_range(span.start as usize..span.end as usize, &it.text);
            }
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(it) => text = it.text,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use gen_lsp_types::{Position, Range, TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument};

    fn part(from: (u32, u32), to: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let at = |(line, character)| Position { line, character };
        #[allow(deprecated, reason = "the field is part of the type")]
        TextDocumentContentChangePartial {
            range: Range { start: at(from), end: at(to) },
            range_length: None,
            text: text.into(),
        }
        .into()
    }

    #[test]
    fn each_change_meets_what_the_last_one_left() {
        let changes = vec![part((0, 1), (0, 1), "é\n"), part((1, 0), (1, 1), "x")];
        assert_eq!(apply("ab", changes, Encoding::Utf16), "aé\nx");
        let whole = TextDocumentContentChangeWholeDocument { text: "all".into() }.into();
        assert_eq!(apply("ab", vec![part((0, 0), (0, 2), ""), whole], Encoding::Utf8), "all");
    }

    #[test]
    fn a_range_that_lies_beyond_the_text_is_cut_to_it() {
        assert_eq!(apply("ab", vec![part((7, 0), (9, 3), "c")], Encoding::Utf16), "abc");
        assert_eq!(apply("ab", vec![part((0, 2), (0, 1), "c")], Encoding::Utf16), "abc", "ends before it begins");
    }

    #[test]
    fn keys_and_addresses_are_inverse() {
        for text in ["file:///a/b%20c.yaml", "untitled:Untitled-1"] {
            let it = Uri::parse(text).unwrap();
            assert_eq!(uri(&key(&it)), Some(it));
        }
        assert_eq!(key(&Uri::parse("file:///a/b%20c.yaml").unwrap()), "/a/b c.yaml");
    }
}
