//! Which files a run has read, so that no report replaces one of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file by its device and number, whatever its path, and whether it was named.
// Why for the whole process: every reader adds to it, and each command's last step asks it.
static READ: Mutex<BTreeMap<(u64, u64), bool>> = Mutex::new(BTreeMap::new());

/// Remembers a file that is read. Of files that a folder holds only YAML counts: no report is YAML, and an earlier one may stand there.
pub fn remember(file: &File, named: bool, path: &Path) {
    let is_yaml = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"));
    let meta = file.metadata().ok().filter(|it| it.is_file() && (named || is_yaml));
    if let Some(meta) = meta {
        *read().entry((meta.dev(), meta.ino())).or_default() |= named;
    }
}

/// Whether a file was read. `only_named`: whether one counts only that was named.
pub fn is_one(path: &Path, only_named: bool) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    read().get(&(meta.dev(), meta.ino())).is_some_and(|named| *named || !only_named)
}

fn read() -> std::sync::MutexGuard<'static, BTreeMap<(u64, u64), bool>> {
    READ.lock().unwrap_or_else(PoisonError::into_inner)
}
