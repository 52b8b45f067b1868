//! A tab indents a block.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::replace;

pub const PAGE: Page = page!(3, "tab-indentation", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem) -> Diagnostic {
    let tabs = problem.span.slice(text.tree.text());
    let said = PAGE
        .says("a tab indents this line, and YAML takes spaces only")
        .blame(text.id, text.first_line(problem.span), "tab")
        .why("the document cannot be applied, so none of its rules is in force")
        .help("indent with spaces, as deep as the lines beside it");
    match !tabs.is_empty() && tabs.bytes().all(|byte| byte == b'\t') {
        true => said.fix(replace(text.id, problem.span, "  ".repeat(tabs.len()), "replace each tab by two spaces")),
        false => said,
    }
}
