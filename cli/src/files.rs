//! Finds and reads the manifests that PATH arguments name.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// One manifest file as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The path as a report shows it: relative as given, `-` for standard input.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A path that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The path.
    pub path: String,
    /// Why, for people.
    pub reason: String,
}

/// The greatest file that is read, in bytes. A cluster's `kubectl get -A -o yaml` is far below it.
pub const MAX_BYTES: u64 = 1 << 30;

/// Reads every manifest below the paths.
///
/// Shape: sorted by path, each file once. A folder gives its `.yaml`, `.yml` and `.json` files, hidden and ignored ones left out; a file
/// that is named is read whatever its ending; `-` is standard input.
/// Errors: collected, never fatal: all problems are reported in one run.
pub fn read(paths: &[String]) -> (Vec<Manifest>, Vec<Unreadable>) {
    let (mut manifests, mut unreadable) = (Vec::new(), Vec::new());
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    for path in paths {
        if path == "-" {
            match read_text(io::stdin().lock()) {
                Ok(text) => manifests.push(Manifest { path: "-".into(), text }),
                Err(reason) => unreadable.push(Unreadable { path: "-".into(), reason }),
            }
            continue;
        }
        collect(Path::new(path), &mut found, &mut unreadable);
    }
    for path in found {
        let shown = shown(&path);
        match std::fs::File::open(&path).map_err(|error| error.to_string()).and_then(read_text) {
            Ok(text) => manifests.push(Manifest { path: shown, text }),
            Err(reason) => unreadable.push(Unreadable { path: shown, reason }),
        }
    }
    manifests.sort_by(|a, b| a.path.cmp(&b.path));
    manifests.dedup_by(|a, b| a.path == b.path);
    (manifests, unreadable)
}

fn collect(path: &Path, found: &mut BTreeSet<PathBuf>, unreadable: &mut Vec<Unreadable>) {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            found.insert(path.to_path_buf());
            return;
        }
        Err(error) => {
            unreadable.push(Unreadable { path: shown(path), reason: error.to_string() });
            return;
        }
    }
    for entry in ignore::WalkBuilder::new(path).require_git(false).build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| !kind.is_dir()) && is_manifest(entry.path()) => {
                found.insert(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => unreadable.push(Unreadable { path: shown(path), reason: error.to_string() }),
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

fn read_text(input: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is greater than {} MiB", MAX_BYTES >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8 text (byte {at} is no character); is it a binary file?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_manifests_sorted_and_hidden_files_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.json", "notes.txt", ".hidden.yaml"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let root = folder.path().to_str().unwrap().to_owned();
        let (manifests, unreadable) = read(&[root.clone(), format!("{root}/a.yml")]);
        let names: Vec<_> = manifests.iter().map(|m| m.text.as_str()).collect();
        assert_eq!(names, ["a.yml", "b.yaml", "c.json"]);
        assert_eq!(unreadable, []);
    }

    #[test]
    fn every_path_that_cannot_be_read_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("binary.yaml");
        std::fs::write(&binary, [b'a', 0xff, 0xfe]).unwrap();
        let absent = folder.path().join("absent.yaml");
        let paths = [&binary, &absent].map(|path| path.to_str().unwrap().to_owned());
        let (manifests, unreadable) = read(&paths);
        assert_eq!(manifests, []);
        assert_eq!(unreadable.len(), 2);
        assert!(unreadable.iter().any(|it| it.reason.contains("byte 1 is no character")), "{unreadable:?}");
    }
}
