//! A key stands twice in one mapping.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(4, "duplicate-key", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem, key: &str) -> Diagnostic {
    let said = PAGE
        .says(format!("key {} stands twice in one mapping", quoted(key)))
        .blame(text.id, text.first_line(problem.span), "this one counts")
        .why("only the last one counts: what stands under the first is lost, which may open or close traffic unnoticed")
        .help("keep one of them; if both are meant, join their values");
    match problem.related {
        Some(first) => said.note(text.id, text.first_line(first), "this one is lost"),
        None => said,
    }
}
