//! A key stands twice in one mapping.

use diag::{Code, Diagnostic, Severity};
use syntax::Problem;

use crate::Page;
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = Page {
    code: Code(4),
    slug: "duplicate-key",
    level: Severity::Error,
    since: "0.1.0",
    text: include_str!("page.md"),
};

pub fn render(text: &Text<'_>, problem: &Problem, key: &str) -> Diagnostic {
    let said = PAGE
        .says(format!("key {} stands twice in one mapping", quoted(key)))
        .blame(text.id, problem.span, "this one counts")
        .why("only the last one counts: what the first one says is lost, which may open or close traffic without a trace")
        .help("keep one of them; if both are meant, join their values");
    match problem.related {
        Some(first) => said.note(text.id, first, "this one is lost"),
        None => said,
    }
}
