//! An image of a build without its certificate.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::path;

pub const PAGE: Page = page!(71, "certificate-missing", Error, "0.1.0", Validity);

/// Names the image and the file that is not there.
pub fn render(image: &str, certificate: &str) -> Diagnostic {
    PAGE.says(format!("{} has no certificate: there is no {}", path(image), path(certificate)))
        .why("nothing says what was proved of the image when it was built")
        .help("copy the certificate along with the image, or build again")
}
