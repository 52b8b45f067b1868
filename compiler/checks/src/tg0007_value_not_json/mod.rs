//! A value that JSON cannot hold.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(7, "value-not-json", Error, "0.1.0");

pub fn render_tag(text: &Text, problem: &Problem, tag: &str) -> Diagnostic {
    let said = match tag {
        "!!binary" => PAGE.says("tag `!!binary` is not read"),
        tag => PAGE.says(format!("the value is not what its tag {} says", quoted(tag))),
    };
    said.blame(text.id, text.first_line(problem.span), "tag and value do not fit")
        .why(WHY)
        .help("take the tag away, or write a value of its type")
}

pub fn render_number(text: &Text, problem: &Problem) -> Diagnostic {
    let number = problem.span.slice(text.tree.text());
    let said = PAGE.says(format!("{} is no number that JSON can hold", quoted(number)));
    said.blame(text.id, text.first_line(problem.span), "not finite")
        .why(WHY)
        .help("write a finite number, or quote it to make it text")
}

const WHY: &str =
    "manifests become JSON on their way to the API server; what JSON cannot hold is refused or changed on the way";
