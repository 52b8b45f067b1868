//! A suppression that suppresses nothing.

use diag::{Diagnostic, Fix};

use crate::page::{Page, page};
use crate::suppress::{Name, Suppression};
use crate::words::listed;

pub const PAGE: Page = page!(100, "unused-suppression", Warning, "0.1.0", Style);

pub(crate) fn render(it: &Suppression, unused: &[&Name], fix: Option<Fix>) -> Diagnostic {
    let names = listed(unused.iter().map(|name| name.text.as_str()), "and");
    let said = PAGE.says(format!("nothing here is suppressed by {names}"));
    let span = unused.first().map_or(it.span, |name| name.span);
    let said = said.blame(it.file, span, "no finding of this code");
    let said = said.why("what it was for is gone, and the next fault of this kind would go unseen");
    let said = said.help("remove it, or move it to the line or block that it is about");
    fix.into_iter().fold(said, Diagnostic::fix)
}
