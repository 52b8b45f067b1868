//! A decision for which no program can be made.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, quoted};

pub const PAGE: Page = page!(48, "program-refused", Error, "0.1.0", Reach);

/// Says that the code generator refuses some subjects, named by their labels, for a reason in words.
pub fn render(subjects: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("no program can be made for {}: {}", quoted(subjects), line(reason)))
        .why("these subjects keep the program that they have; where there is none, nothing is enforced for them")
        .help("build for a newer kernel, or use fewer distinct port ranges and address blocks for these subjects")
}
