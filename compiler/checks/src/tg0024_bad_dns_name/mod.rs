//! A text that can be no DNS name or pattern.

use diag::Diagnostic;
use kinds::{Form, Problem};

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

pub fn render_other(spot: &Spot<'_>, problem: &Problem, found: &str, wanted: Form) -> Diagnostic {
    match wanted {
        Form::FullDnsName => said(spot, problem, found, "name of two labels or more").help("write the whole name"),
        _ => said(spot, problem, found, "label")
            .help("a label is at most 63 lower-case letters, digits and `-` between them"),
    }
}

fn said(spot: &Spot<'_>, problem: &Problem, found: &str, what: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no DNS {what}", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), format!("not a DNS {what}")).why(fate(spot, problem))
}
