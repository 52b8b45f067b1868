//! The formats of `diff`.

use crate::formats::Formats;

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
    /// For a comment of a pull request.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl Formats for Format {
    const ALL: &'static [Format] = &[Format::Text, Format::Json, Format::Markdown, Format::Sarif];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Markdown => "markdown",
            Format::Sarif => "sarif",
        }
    }

    fn is_shown(self) -> bool {
        // JSON has escapes of its own.
        matches!(self, Format::Text | Format::Markdown)
    }
}
