//! An image that is not proved to do what its rules say.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, path};

pub const PAGE: Page = page!(70, "image-not-proved", Error, "0.1.0", Correctness);

/// Names the image, and every reason of the checker.
pub fn render(image: &str, reasons: &[String]) -> Diagnostic {
    let reasons: Vec<String> = reasons.iter().map(|it| line(it)).collect();
    PAGE.says(format!("{} is not proved to do what its rules say", path(image)))
        .why(reasons.join("\n"))
        .help("load nothing of it; build it again, and report it when the image is as the build wrote it")
}
