//! A certificate that says something else than the proof.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::path;

pub const PAGE: Page = page!(73, "certificate-differs", Error, "0.1.0", Correctness);

/// Names the certificate, and the parts of it that the proof of the image beside it does not bear out.
pub fn render(certificate: &str, parts: &[String]) -> Diagnostic {
    PAGE.says(format!("{} is not of the image beside it: its {} differs", path(certificate), parts.join(", its ")))
        .why("the image that was certified is another one, or the certificate was changed")
        .help("take image and certificate from one build, or build again")
}
