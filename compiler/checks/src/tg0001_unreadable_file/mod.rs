//! A file that cannot be read.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::words::{line, quoted};

pub const PAGE: Page = page!(1, "unreadable-file", Error, "0.1.0");

/// Says that a path could not be read; `reason` is what the system said.
pub fn render(path: &str, reason: &str) -> Diagnostic {
    PAGE.says(format!("cannot read {}: {}", quoted(path), line(reason)))
        .why("whatever policies it holds were not looked at, so nothing said here is about them")
        .help("check that the path exists, may be read and is a text file")
}

/// Says that a cluster could not be asked.
pub fn render_cluster(flag: &str, reason: &str, way_out: &str) -> Diagnostic {
    PAGE.says(format!("cannot read {}: {}", quoted(flag), line(reason)))
        .why("nothing that hangs on the cluster was looked at, and of its policies none")
        .help(way_out)
}
