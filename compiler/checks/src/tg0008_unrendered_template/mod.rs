//! Template syntax stands where a value should be.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;

pub const PAGE: Page = page!(8, "unrendered-template", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem) -> Diagnostic {
    PAGE.says("this document is a template that was not rendered")
        .blame(text.id, text.first_line(problem.span), "template syntax")
        .why("what it will say is not known before it is rendered, so nothing of it was checked")
        .help("render it first and check the result, for example with `helm template`")
}
