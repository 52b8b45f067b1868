//! What a text may be.

use std::fmt;

use super::Format;
use crate::problem::Form;

/// Limits of a text.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// How many characters there must be.
    pub least: usize,
    /// How many characters there may be.
    pub most: usize,
    /// What it must look like.
    pub pattern: Option<Pattern>,
    /// What it must be.
    pub format: Option<Format>,
}

impl Text {
    /// Any text.
    pub const ANY: Text = Text { least: 0, most: usize::MAX, pattern: None, format: None };
}

/// A regular expression that is found in a text, as the API publishes it, and the function that looks for it.
#[derive(Clone, Copy)]
pub struct Pattern {
    /// The expression.
    pub text: &'static str,
    /// Whether a text has it.
    pub is_in: fn(&str) -> bool,
    /// What people call what it describes; [`Form::Pattern`] where there is no word.
    pub form: Form,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Names a pattern: `pattern!(PORT, Form::PortText, "^[0-9]+$");`, or without a form. It is compiled when first looked for.
macro_rules! pattern {
    ($(#[$doc:meta])* $visible:vis $name:ident, $text:expr) => {
        pattern!($(#[$doc])* $visible $name, $crate::problem::Form::Pattern($text), $text);
    };
    ($(#[$doc:meta])* $visible:vis $name:ident, $form:expr, $text:expr) => {
        $(#[$doc])*
        $visible const $name: $crate::schema::Pattern = $crate::schema::Pattern {
            text: $text,
            is_in: |text| {
                // Cannot panic: the texts are constants, and a test compiles each of them.
                static COMPILED: std::sync::LazyLock<regex::Regex> =
                    std::sync::LazyLock::new(|| regex::Regex::new($text).expect("patterns of tables are compiled by a test"));
                COMPILED.is_match(text)
            },
            form: $form,
        };
    };
}
pub(crate) use pattern;
