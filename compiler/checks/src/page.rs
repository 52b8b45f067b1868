//! What is known of a code, whatever the text: its name, its level, its page.

use diag::{Code, Diagnostic, Severity};

/// One code of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number; never used for anything else.
    pub code: Code,
    /// Its name, which names the fault: `selector-matches-nothing`.
    pub slug: &'static str,
    /// How grave it is. A finding may be milder where its page says so, never graver.
    pub level: Severity,
    /// The first version that knew it.
    pub since: &'static str,
    /// The page that `explain`, the editor and the book show. Markdown.
    pub text: &'static str,
}

impl Page {
    /// A diagnostic of this code.
    pub(crate) fn says(&self, headline: impl Into<String>) -> Diagnostic {
        self.says_as(self.level, headline)
    }

    /// A diagnostic of this code at a milder level.
    pub(crate) fn says_as(&self, level: Severity, headline: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, self.slug, level.max(self.level), headline)
    }
}

/// The page of a folder: number, slug, level, first version; the text stands beside the folder's `mod.rs`.
macro_rules! page {
    ($number:literal, $slug:literal, $level:ident, $since:literal) => {
        Page {
            code: diag::Code($number),
            slug: $slug,
            level: diag::Severity::$level,
            since: $since,
            text: include_str!("page.md"),
        }
    };
}
pub(crate) use page;
