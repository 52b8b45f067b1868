//! A certificate by another version of the checker.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::path;

pub const PAGE: Page = page!(74, "certificate-of-other-checker", Hint, "0.1.0", Correctness);

/// Names the certificate, the version of its checker, and that of ours.
pub fn render(certificate: &str, theirs: u64, ours: u32) -> Diagnostic {
    let age = if theirs > u64::from(ours) { "a newer" } else { "an older" };
    PAGE.says(format!("{} is by {age} checker, version {theirs}; the image was proved by version {ours}", path(certificate)))
        .why("checkers of other versions prove other things, so only the digest of the image was compared")
        .help("verify with the version of tidegate that built it to compare all, or build again with this one")
}
