//! Fixes: edits of text that a reader may apply.

use source::{FileId, Span};

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// The file to change.
    pub file: FileId,
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// What takes their place; empty to delete.
    pub replacement: String,
}

/// A named change that solves a diagnostic, applied as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fix {
    /// What the fix does, as an order: "quote the value".
    pub title: String,
    /// Edits; those of one file do not overlap.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// The text of `file` with this fix applied.
    ///
    /// Errors: `None` when two edits overlap or an edit does not fit the text.
    #[must_use]
    pub fn apply(&self, file: FileId, text: &str) -> Option<String> {
        let mut edits: Vec<&Edit> = self.edits.iter().filter(|e| e.file == file).collect();
        edits.sort_by_key(|edit| edit.span);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for edit in edits {
            out.push_str(text.get(at..edit.span.start as usize)?);
            out.push_str(&edit.replacement);
            at = edit.span.end as usize;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(edits: &[(u32, u32, &str)]) -> Fix {
        let edit = |&(start, end, text): &(u32, u32, &str)| Edit {
            file: FileId(0),
            span: Span { start, end },
            replacement: text.to_owned(),
        };
        Fix { title: "change it".to_owned(), edits: edits.iter().map(edit).collect() }
    }

    #[test]
    fn edits_apply_together_in_any_order() {
        let fixed = fix(&[(4, 5, "two"), (0, 1, "one")]).apply(FileId(0), "a b c");
        assert_eq!(fixed.as_deref(), Some("one b two"));
    }

    #[test]
    fn another_file_stays_as_it_is() {
        let fixed = fix(&[(0, 1, "one")]).apply(FileId(1), "a");
        assert_eq!(fixed.as_deref(), Some("a"));
    }

    #[test]
    fn overlapping_or_foreign_edits_change_nothing() {
        assert_eq!(fix(&[(0, 2, ""), (1, 3, "")]).apply(FileId(0), "abc"), None);
        assert_eq!(fix(&[(9, 9, "x")]).apply(FileId(0), "abc"), None);
    }
}
