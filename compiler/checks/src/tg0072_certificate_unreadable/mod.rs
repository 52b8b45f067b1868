//! A certificate that cannot be read.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, path};

pub const PAGE: Page = page!(72, "certificate-unreadable", Error, "0.1.0", Validity);

/// Names the certificate and what is wrong with its text.
pub fn render(certificate: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("{} is no certificate of an image: {}", path(certificate), line(reason)))
        .why("nothing says what was proved of the image when it was built")
        .help("copy the certificate again from where the image came from, or build again")
}
