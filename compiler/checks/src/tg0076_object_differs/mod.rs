//! An ELF object that is not that of its image.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::path;

pub const PAGE: Page = page!(76, "object-differs", Error, "0.1.0", Correctness);

/// Names the ELF object.
pub fn render(object: &str) -> Diagnostic {
    PAGE.says(format!("{} is not the ELF object that this version writes of its image", path(object)))
        .why("the proof is of the image; what another ELF object does is proved by nobody")
        .help("load the image, or build again with `--elf`")
}
