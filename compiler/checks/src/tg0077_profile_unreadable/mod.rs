//! A profile that cannot be read.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, path};

pub const PAGE: Page = page!(77, "profile-unreadable", Error, "0.1.0", Validity);

/// Names the profile and what is wrong with its text.
pub fn render(profile: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("{} is no profile of decisions: {}", path(profile), line(reason)))
        .why("what was counted is not known, so nothing can be laid out by it")
        .help("write the profile again, as `tidegate lab run --profile` does, or build without one")
}
