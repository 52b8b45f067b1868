//! Man pages, which are made beside the program.

use super::judge::Judge::{Mandoc, Roff};
use super::table::Case;
use std::path::Path;

/// A case for each page.
///
/// Errors: a page that cannot be written.
pub fn cases(out: &Path) -> Result<Vec<Case>, String> {
    let shared = crate::dist::pages::write(&out.join("share"))?;
    let case = |path: std::path::PathBuf| {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let command = format!("xtask dist: {name}");
        Case { command, format: "man", file: None, made: Some(path), judges: vec![Mandoc, Roff] }
    };
    Ok(shared.man.into_iter().map(case).collect())
}
