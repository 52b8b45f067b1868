//! A comment or annotation that looks like a suppression and is none.

use diag::Diagnostic;
use source::FileId;

use crate::page::{Page, page};
use crate::suppress::Unreadable;

pub const PAGE: Page = page!(102, "unreadable-suppression", Error, "0.1.0", Correctness);

pub(crate) fn render(file: FileId, it: &Unreadable) -> Diagnostic {
    let said = PAGE.says("this suppression cannot be read");
    let said = said.blame(file, it.span, it.why.clone());
    let said = said.why("it hides nothing; whoever wrote it believes otherwise");
    said.help("write `# tidegate: ignore[TG0012] reason`, `# tidegate: ignore-file[TG0012] reason` or the annotation `tidegate.io/ignore.TG0012: reason`; `until=2030-01-31` may stand before the reason")
}
