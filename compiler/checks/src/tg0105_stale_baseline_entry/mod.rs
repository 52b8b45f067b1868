//! A line of a baseline that no finding answers to any more.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::quoted;

pub const PAGE: Page = page!(105, "stale-baseline-entry", Warning, "0.1.0", Style);

/// Words one entry: its file, its code and its headline.
pub(crate) fn render(baseline: &str, file: &str, code: &str, message: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} expects {code} in {}, and it is not there", quoted(baseline), quoted(file)));
    let said = said.why(format!("the entry would hide the same fault if it came back: {message}"));
    said.help("remove it: `--update-baseline` writes the file as things stand now")
}
