//! A bug of ours.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::line;

pub const PAGE: Page = page!(9999, "internal-error", Error, "0.1.0", Reach);

/// Says that tidegate itself failed; `what` is the message of the failure.
pub fn render(what: &str) -> Diagnostic {
    PAGE.says(format!("tidegate failed, which is a bug of tidegate: {}", line(what)))
        .why("nothing was built and nothing was changed; what is in force stays in force")
        .help("please report it together with the smallest input that shows it")
}
