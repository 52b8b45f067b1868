//! A file in a folder of a build that is not as the build left it.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, path};

pub const PAGE: Page = page!(75, "folder-not-as-built", Error, "0.1.0", Validity);

/// Names the file, and says of it how it is otherwise: `is missing`.
pub fn render(file: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("{} {}", path(file), line(reason)))
        .why("what a node is given would not be what was built and reviewed")
        .help("copy the folder again as a whole, or build again")
}
