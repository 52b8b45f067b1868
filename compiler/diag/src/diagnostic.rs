//! The diagnostic itself and its order.

use std::cmp::Ordering;

use source::{FileId, Span};

use crate::{Code, Fix, Severity};

/// A span with a few words beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The file of the span.
    pub file: FileId,
    /// The bytes that are marked.
    pub span: Span,
    /// Words shown beside the span; may be empty.
    pub text: String,
    /// Whether this is the place to blame. The others explain.
    pub primary: bool,
}

/// One thing worth telling the reader of a policy.
///
/// The headline is lower case, has no final stop, quotes user text in backticks and is true when
/// read alone. `why` says why it matters in the cluster; `help` what to do where no fix can.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Its number.
    pub code: Code,
    /// Its name, which names the fault: `selector-matches-nothing`.
    pub slug: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One line.
    pub headline: String,
    /// Places in texts; may be empty when the fault has no place.
    pub labels: Vec<Label>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that solve it, the best first; may be empty.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A diagnostic of code, slug, severity and headline, with nothing else yet.
    #[must_use]
    pub fn new(code: Code, slug: &'static str, severity: Severity, headline: impl Into<String>) -> Self {
        Diagnostic {
            code,
            slug,
            severity,
            headline: headline.into(),
            labels: Vec::new(),
            why: None,
            help: None,
            fixes: Vec::new(),
        }
    }

    /// Adds the place to blame.
    #[must_use]
    pub fn blame(self, file: FileId, span: Span, text: impl Into<String>) -> Self {
        self.with_label(file, span, text.into(), true)
    }

    /// Adds a place that explains.
    #[must_use]
    pub fn note(self, file: FileId, span: Span, text: impl Into<String>) -> Self {
        self.with_label(file, span, text.into(), false)
    }

    fn with_label(mut self, file: FileId, span: Span, text: String, primary: bool) -> Self {
        self.labels.push(Label { file, span, text, primary });
        self
    }

    /// Says why it matters.
    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why = Some(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The label to show first: the first primary one, else the first one.
    #[must_use]
    pub fn place(&self) -> Option<&Label> {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first())
    }
}

/// By file, span, code; then by all the rest, so that equal ranks are equal values. Diagnostics
/// without a place come first.
impl Ord for Diagnostic {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |d: &Self| d.place().map(|label| (label.file, label.span));
        place(self)
            .cmp(&place(other))
            .then_with(|| self.code.cmp(&other.code))
            .then_with(|| self.headline.cmp(&other.headline))
            .then_with(|| self.severity.cmp(&other.severity))
            .then_with(|| self.labels.cmp(&other.labels))
            .then_with(|| self.slug.cmp(other.slug))
            .then_with(|| self.why.cmp(&other.why))
            .then_with(|| self.help.cmp(&other.help))
            .then_with(|| self.fixes.cmp(&other.fixes))
    }
}

impl PartialOrd for Diagnostic {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: u32, start: u32, code: u16) -> Diagnostic {
        Diagnostic::new(Code(code), "a-fault", Severity::Error, "a fault").blame(
            FileId(file),
            Span::new(start, start + 1),
            "",
        )
    }

    #[test]
    fn order_is_file_then_span_then_code() {
        let nowhere = Diagnostic::new(Code(9), "a-fault", Severity::Error, "a fault");
        let mut all = [at(1, 0, 1), at(0, 5, 1), at(0, 5, 0), at(0, 2, 7), nowhere];
        all.sort();
        let order: Vec<u16> = all.iter().map(|d| d.code.0).collect();
        assert_eq!(order, [9, 7, 0, 1, 1]);
        assert_eq!(all[4], at(1, 0, 1));
    }

    #[test]
    fn the_place_is_the_first_primary_label() {
        let diagnostic = Diagnostic::new(Code(1), "a-fault", Severity::Hint, "a fault")
            .note(FileId(0), Span::at(9), "first seen here")
            .blame(FileId(0), Span::at(3), "again here");
        assert_eq!(diagnostic.place().map(|l| l.span), Some(Span::at(3)));
    }
}
