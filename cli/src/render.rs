//! Diagnostics as text: with the lines they speak of, or one line each.

use crate::args::Color;
use crate::output::Destination;
use crate::report::Place;
use crate::visible::visible;
use diag::{Diagnostic, Label, Severity};
use driver::{Database, SourceFile, locate};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

/// How many diagnostics are drawn in full on standard error.
const DRAWN: usize = 100;

/// Whether to use colours for a destination.
pub fn colours(color: Color, destination: Destination) -> bool {
    match (color, destination) {
        (_, Destination::File) | (Color::Never, _) => false,
        (Color::Always, _) => true,
        (Color::Auto, _) => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !plain && std::io::stdout().is_terminal()
        }
    }
}

/// A diagnostic with the lines it speaks of.
pub fn graphical(db: &Database, diagnostic: &Diagnostic, colours: bool) -> String {
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let mut out = String::new();
    let shown = Shown::new(db, diagnostic);
    // Why: writing into a String cannot fail, and a half-drawn report is better than none.
    let _ = handler.render_report(&mut out, &shown);
    out
}

/// Draws diagnostics on standard error.
pub fn draw(db: &Database, found: &[Diagnostic], color: Color) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !plain && std::io::stderr().is_terminal(),
    };
    for diagnostic in found.iter().take(DRAWN) {
        say(&graphical(db, diagnostic, colours));
    }
    if found.len() > DRAWN {
        say(&format!("and {} more; `tidegate check -o concise` lists them all", found.len() - DRAWN));
    }
}

/// A line on standard error. A closed one is no reason to fail.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", visible(text));
}

/// `1 error`, `2 errors`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// A diagnostic in one line: `file:line:column: level[code]: headline`.
pub fn concise(db: &Database, diagnostic: &Diagnostic) -> String {
    let place =
        diagnostic.place().and_then(|label| place(db, label)).map_or(String::new(), |place| format!("{place}: "));
    format!("{place}{}[{}]: {}\n", diagnostic.severity.as_str(), diagnostic.code, diagnostic.headline)
}

/// Path, line and column of a label.
pub fn place(db: &Database, label: &Label) -> Option<Place> {
    let file = db.file(label.file)?;
    Some(place_of(db, file, label.span))
}

/// Path, line and column of some bytes.
pub fn place_of(db: &Database, file: SourceFile, span: source::Span) -> Place {
    let position = locate::position(db, file, span);
    Place { file: file.path(db).to_owned(), line: position.line, column: position.column }
}

/// A diagnostic as the renderer wants it.
struct Shown<'d> {
    diagnostic: &'d Diagnostic,
    title: String,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Elsewhere>,
    why: Option<Why>,
}

impl<'d> Shown<'d> {
    fn new(db: &Database, diagnostic: &'d Diagnostic) -> Shown<'d> {
        let main = diagnostic.place().map(|label| label.file);
        let source_of = |id| {
            let file = db.file(id)?;
            Some(NamedSource::new(file.path(db), file.text(db).unwrap_or_default()))
        };
        let span_of = |label: &Label| {
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            let (at, len) = (label.span.start as usize, label.span.len() as usize);
            if label.primary {
                LabeledSpan::new_primary_with_span(text, (at, len))
            } else {
                LabeledSpan::new(text, at, len)
            }
        };
        let (here, there): (Vec<&Label>, Vec<&Label>) = diagnostic.labels.iter().partition(|it| Some(it.file) == main);
        let elsewhere = there.into_iter().filter_map(|label| {
            Some(Elsewhere { text: label.text.clone(), source: source_of(label.file)?, labels: vec![span_of(label)] })
        });
        Shown {
            diagnostic,
            title: diagnostic.headline.clone(),
            source: main.and_then(source_of),
            labels: here.into_iter().map(span_of).collect(),
            elsewhere: elsewhere.collect(),
            why: diagnostic.why.clone().map(Why),
        }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.why.as_ref().map(|why| why as &dyn std::error::Error)
    }
}

/// Why a diagnostic matters; drawn as what the headline leads to.
#[derive(Debug)]
struct Why(String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Why {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("{} {}", self.diagnostic.code, self.diagnostic.slug)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Hint => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let each = self.elsewhere.iter().map(|it| it as &dyn miette::Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(each) as Box<dyn Iterator<Item = _>>)
    }
}

/// A label in another file than the main one.
struct Elsewhere {
    text: String,
    source: NamedSource<Arc<str>>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Elsewhere {}

impl miette::Diagnostic for Elsewhere {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
