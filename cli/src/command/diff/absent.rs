//! A side that is not there: misspelt, or the first manifests of a place and the last.

use crate::git;
use std::path::Path;

/// Whether a path that holds no manifest in a revision may be taken for one that is empty there.
///
/// Errors: it is not in the revision at all, and not beside the other side either, so that nobody adds or removes it.
pub fn check(revision: &str, path: &str, other: &str) -> Result<(), String> {
    // Why: git lists what is at or below the current folder.
    if path.split('/').any(|part| part == "..") {
        return Ok(());
    }
    let known = git::names(revision)?;
    let there = match git::parts(other) {
        Some((revision, _)) => holds(&git::names(revision)?, path),
        None => Path::new(path).exists(),
    };
    if there || holds(&known, path) {
        return Ok(());
    }
    let near = nearest(path, &known).map_or(String::new(), |it| format!("; did you mean `{revision}:{it}`?"));
    Err(format!("there is no `{path}` in revision `{revision}`, and none beside `{other}`{near}"))
}

/// Whether a file or folder, or standard input, is there.
///
/// Errors: it is not.
pub fn check_here(path: &str) -> Result<(), String> {
    if path == "-" || std::fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let folder = existing(Path::new(path));
    let entries = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let known = entries.into_iter().flatten().flatten();
    let known: Vec<String> = known.map(|it| folder.join(it.file_name()).to_string_lossy().into_owned()).collect();
    let near = nearest(path, &known).map_or(String::new(), |it| format!("; did you mean `{it}`?"));
    Err(format!("there is no file or folder `{path}`{near} (an empty folder stands for no manifests)"))
}

/// The longest part of a path that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|it| it.as_os_str().is_empty() || it.is_dir()).unwrap_or(Path::new(""))
}

/// Whether a path is one of some files, or a folder of one.
fn holds(files: &[String], path: &str) -> bool {
    let path = plain(path);
    let inside = |file: &String| file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    path.is_empty() || path == "." || files.iter().any(inside)
}

fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

/// The file or folder that is written most like a path.
fn nearest(path: &str, files: &[String]) -> Option<String> {
    let path = plain(path);
    let depth = path.split('/').count();
    let as_deep = |file: &String| file.split('/').take(depth).collect::<Vec<_>>().join("/");
    let ranked = files.iter().map(as_deep).map(|it| (strsim::osa_distance(path, plain(&it)), it));
    ranked.min().filter(|(far, _)| *far <= path.len() / 3 + 1).map(|(_, it)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_path_is_as_deep_and_spelt_alike() {
        let files = ["deploy/base/a.yaml", "deploy/prod/b.yaml", "docs/x.md"].map(str::to_owned);
        assert_eq!(nearest("deploy/bse", &files).as_deref(), Some("deploy/base"));
        assert_eq!(nearest("./deplyo/", &files).as_deref(), Some("deploy"));
        assert_eq!(nearest("policies", &files), None);
        assert!(holds(&files, "deploy/prod/") && holds(&files, ".") && !holds(&files, "deploy/pro"));
    }
}
