//! The text passes a limit of the reader.

use diag::Diagnostic;
use syntax::Problem;

use crate::page::{Page, page};
use crate::place::Text;

pub const PAGE: Page = page!(9, "yaml-limit", Error, "0.1.0");

pub fn render_bytes(text: &Text, problem: &Problem, limit: usize) -> Diagnostic {
    said(text, problem, format!("the text is longer than {limit} bytes"), "nothing of it was read")
}

pub fn render_depth(text: &Text, problem: &Problem, limit: usize) -> Diagnostic {
    said(text, problem, format!("values are nested deeper than {limit} levels"), "what is deeper was left out")
}

pub fn render_nodes(text: &Text, problem: &Problem, limit: usize) -> Diagnostic {
    said(text, problem, format!("the text has more than {limit} values"), "the rest was not read")
}

pub fn render_aliases(text: &Text, problem: &Problem, limit: usize) -> Diagnostic {
    said(text, problem, format!("aliases repeat more than {limit} values"), "further aliases were left out")
}

fn said(text: &Text, problem: &Problem, headline: String, lost: &str) -> Diagnostic {
    PAGE.says(headline)
        .blame(text.id, text.first_line(problem.span), "here")
        .why(format!(
            "{lost}, so the document must not be enforced; the limit keeps a hostile file from stopping everybody"
        ))
        .help("split the file, or write repeated values out")
}
