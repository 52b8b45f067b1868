//! A text that is no regular expression.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, line, quoted};

pub const PAGE: Page = page!(64, "bad-expression", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str, why: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no regular expression", quoted(found)));
    let first = line(why.lines().last().unwrap_or_default());
    spot.blame(said, spot.word(&problem.path, found), "does not compile")
        .why(fate(spot, problem))
        .help(format!("{first}; write a backslash before a character that is meant as itself"))
}
