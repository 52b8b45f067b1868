//! A suppression that does not say why, where reasons are required or one was to be written.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::suppress::{PLACEHOLDER, Suppression};

pub const PAGE: Page = page!(103, "suppression-without-reason", Warning, "0.1.0", Style);

pub(crate) fn render(it: &Suppression) -> Diagnostic {
    let said = PAGE.says("this suppression gives no reason");
    let said = said.blame(it.file, it.span, "the reason is missing");
    let asks = match it.reason.as_str() {
        PLACEHOLDER => format!("`{PLACEHOLDER}` stands where it was to be written"),
        _ => "`suppressions.strict` asks for it".to_owned(),
    };
    let said = said.why(format!("without one nobody can tell later whether it still holds; {asks}"));
    said.help("write it behind the codes: `# tidegate: ignore[TG0012] the pods come with the next release`")
}
