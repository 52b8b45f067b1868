//! A key that has no JSON form.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(5, "key-not-text", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem) -> Diagnostic {
    let key = problem.span.slice(text.tree.text());
    let said = match key.trim() {
        "" => PAGE.says("a key is empty"),
        key => PAGE.says(format!("{} cannot be a key", quoted(key))),
    };
    said.blame(text.id, text.first_line(problem.span), "not text")
        .why(
            "manifests become JSON, whose keys are text; the API server refuses the document, so none of its rules \
            is in force",
        )
        .help(
            "write text before the colon; a template that was not rendered, such as `{{ name }}`, also reads as \
            such a key",
        )
}
