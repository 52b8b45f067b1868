//! A text that can be no DNS name or pattern.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(24, "bad-dns-name", Error, "0.1.0");

pub fn render_name(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let help = match found.contains('*') {
        true => "`matchName` takes no asterisk; write `matchPattern`",
        false => "a name is letters, digits, `-`, `_` and `.`, without scheme, port or path",
    };
    said(spot, problem, found, "name").help(help)
}

pub fn render_pattern(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    said(spot, problem, found, "pattern")
        .help("a pattern is letters, digits, `-`, `_`, `.` and `*`, without scheme, port or path")
}

fn said(spot: &Spot<'_>, problem: &Problem, found: &str, what: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no DNS {what}", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), format!("not a DNS {what}")).why(fate(problem))
}
