//! A part of a profile that is about no decision of a build.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, path};

pub const PAGE: Page = page!(78, "profile-of-another-decision", Warning, "0.1.0", Cost);

/// Names the profile, who its decision was of, and why it is not taken.
pub fn render(profile: &str, who: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("{} has hits of {}, and {}", path(profile), line(who), line(reason)))
        .why("hits are by the cells of a decision, and cells of another decision are other ones; its code is laid out as without them")
        .help("write the profile again, where these policies are enforced")
}
