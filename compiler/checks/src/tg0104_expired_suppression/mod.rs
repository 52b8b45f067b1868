//! A suppression whose day has passed.

use diag::Diagnostic;
use jiff::civil::Date;

use crate::page::{Page, page};
use crate::suppress::Suppression;

pub const PAGE: Page = page!(104, "expired-suppression", Warning, "0.1.0", Correctness);

pub(crate) fn render(it: &Suppression, until: Date) -> Diagnostic {
    let said = PAGE.says(format!("this suppression ended on {until}"));
    let said = said.blame(it.file, it.span, "it hides nothing any more");
    let said = said.why("what it hid until then is reported again");
    said.help("mend what it hid and remove it, or give it another day with a reason")
}
