//! A tab indents a block.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;

pub const PAGE: Page = page!(3, "tab-indentation", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem) -> Diagnostic {
    PAGE.says("a tab indents this line, and YAML takes spaces only")
        .blame(text.id, text.first_line(problem.span), "indented with a tab")
        .why("the document cannot be applied, so none of its rules is in force")
        .help("indent with spaces, as deep as the lines beside it")
}
