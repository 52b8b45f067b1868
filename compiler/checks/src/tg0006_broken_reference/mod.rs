//! An alias or merge that leads nowhere.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(6, "broken-reference", Error, "0.1.0");

pub fn render_unknown(text: &Text, problem: &Problem, name: &str) -> Diagnostic {
    let said = PAGE.says(format!("alias {} names no anchor before it", quoted(&format!("*{name}"))));
    let help =
        format!("write {} at the value that it should repeat, in the same document", quoted(&format!("&{name}")));
    said.blame(text.id, text.first_line(problem.span), "no such anchor").why(WHY).help(help)
}

pub fn render_recursive(text: &Text, problem: &Problem) -> Diagnostic {
    let said = PAGE.says("an alias stands inside the value that it repeats").blame(
        text.id,
        text.first_line(problem.span),
        "this alias",
    );
    let said = said.why(WHY).help("repeat another value, or write this one out");
    match problem.related {
        Some(anchor) => said.note(text.id, text.first_line(anchor), "the value that it repeats begins here"),
        None => said,
    }
}

pub fn render_merge(text: &Text, problem: &Problem) -> Diagnostic {
    let said = PAGE.says("`<<` merges something that is no mapping").blame(
        text.id,
        text.first_line(problem.span),
        "no mapping",
    );
    said.why(WHY).help("merge a mapping, or a list of mappings, by its alias")
}

const WHY: &str = "the value is lost, so the document does not say what it seems to say and must not be enforced";
