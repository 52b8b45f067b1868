//! The text is not YAML.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::line;

pub const PAGE: Page = page!(2, "not-yaml", Error, "0.1.0");

pub fn render(text: &Text, problem: &Problem, message: &str) -> Diagnostic {
    let said = said(text, problem, format!("this is not YAML: {}", line(message)));
    said.help("close the brackets and quotes that are open, and compare the depth of this line with those above it")
}

pub fn render_character(text: &Text, problem: &Problem, character: char) -> Diagnostic {
    let said = said(text, problem, format!("YAML forbids the character U+{:04X}", u32::from(character)));
    said.help("remove it; it is invisible in most editors")
}

fn said(text: &Text, problem: &Problem, headline: String) -> Diagnostic {
    let said = PAGE.says(headline).blame(text.id, text.first_line(problem.span), "here").why(
        "the document cannot be applied, so none of its rules is in force; other documents of the file are read \
            all the same",
    );
    match problem.related {
        Some(other) => said.note(text.id, text.first_line(other), "noticed here"),
        None => said,
    }
}
