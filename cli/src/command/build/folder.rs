//! Replaces an output folder in one step: readers see the old files or the new, and on any failure the old.

use super::objects;
use crate::certificate::ENDING;
use crate::report::API_VERSION;
use crate::temporary::{self, Temporary};
use image::Digest;
use rustix::fs::{CWD, RenameFlags};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that tells a folder of ours, and says what is in it.
pub const INDEX: &str = "index.json";
/// The file that says where origins stand.
pub const SOURCES: &str = "sources.json";
/// Keeps the folder's JSON from being read as manifests.
pub const IGNORE: &str = ".ignore";
/// What stands in it.
pub const IGNORE_TEXT: &str = "# Written by `tidegate build`. Nothing here is a manifest.\n*\n";

/// Files by their path in the folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The digest of an index: that of its text with nothing in the place of the digest that it has.
pub fn seal(text: &str, digest: &str) -> Digest {
    match digest {
        "" => Digest::of(text.as_bytes()),
        digest => Digest::of(text.replacen(digest, "", 1).as_bytes()),
    }
}

/// Puts a folder with these files, and no others, in the place of `dir`.
///
/// Everything is written beside `dir` first; then both change places in one system call. Errors: for people, naming the path: `dir` holds
/// files that no build wrote, or something cannot be written. The old folder is untouched then, and nothing new is left behind.
pub fn replace(dir: &Path, files: &Files) -> Result<(), String> {
    let place = Place::of(dir)?;
    let made = make_parents(&place.parent)?;
    let result = place.parent_and_new(files).and_then(|new| place.swap(new));
    if result.is_err() {
        // Folders that were made for the output go again; one that is not empty belongs to somebody.
        made.iter().for_each(|it| drop(fs::remove_dir(it)));
    }
    result
}

/// Where the folder is to stand.
struct Place {
    dir: PathBuf,
    parent: PathBuf,
    exists: bool,
}

impl Place {
    fn of(dir: &Path) -> Result<Place, String> {
        let at = |error: io::Error| format!("cannot use `{}`: {error}", dir.display());
        let (dir, exists) = match fs::symlink_metadata(dir) {
            // Why canonical: a link stays a link, and what it points at is replaced; `.` has a parent.
            Ok(_) => (fs::canonicalize(dir).map_err(at)?, true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (std::path::absolute(dir).map_err(at)?, false),
            Err(error) => return Err(at(error)),
        };
        let Some(parent) = dir.parent().map(Path::to_path_buf) else {
            return Err("the root folder cannot be replaced; name another `--out-dir`".into());
        };
        if exists {
            check_ours(&dir)?;
        }
        Ok(Place { dir, parent, exists })
    }

    /// Writes the new folder beside the old.
    fn parent_and_new(&self, files: &Files) -> Result<(TempDir, Temporary), String> {
        let cannot = |what: &Path, error: io::Error| {
            format!("cannot write `{}`: {error}; `{}` is as it was", what.display(), self.dir.display())
        };
        let make = || tempfile::Builder::new().prefix(".tidegate-").tempdir_in(&self.parent);
        let made = Temporary::make(make, TempDir::path);
        let (new, temporary) = made.map_err(|error| cannot(&self.parent, error))?;
        write_all(new.path(), files).map_err(|(path, error)| cannot(&self.dir.join(path), error))?;
        let settle = || -> io::Result<()> {
            fs::set_permissions(new.path(), Permissions::from_mode(0o755))?;
            File::open(new.path())?.sync_all()
        };
        settle().map_err(|error| cannot(&self.dir, error))?;
        Ok((new, temporary))
    }

    /// Lets the new folder and the old change places, and removes the old.
    fn swap(&self, (new, temporary): (TempDir, Temporary)) -> Result<(), String> {
        let cannot = |error: io::Error| format!("cannot replace `{}`: {error}; it is as it was", self.dir.display());
        if !self.exists {
            // A folder that appeared meanwhile is not overwritten.
            temporary.settle(|| rename(new.path(), &self.dir, RenameFlags::NOREPLACE)).map_err(cannot)?;
            // The temporary name is gone; nothing is left to remove.
            let _ = new.keep();
            return Ok(());
        }
        temporary.settle(|| rename(new.path(), &self.dir, RenameFlags::EXCHANGE)).map_err(cannot)?;
        let old = new.path().to_path_buf();
        new.close().map_err(|error| {
            format!(
                "`{}` is new, but the old one, now `{}`, cannot be removed: {error}",
                self.dir.display(),
                old.display()
            )
        })
    }
}

/// One rename, in two steps where the file system knows neither flag: then, for a moment, there is no folder.
fn rename(from: &Path, to: &Path, flags: RenameFlags) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, flags) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if flags != RenameFlags::EXCHANGE {
                return fs::rename(from, to);
            }
            let aside = from.with_extension("old");
            fs::rename(to, &aside)?;
            if let Err(error) = fs::rename(from, to) {
                fs::rename(&aside, to)?;
                return Err(error);
            }
            fs::rename(&aside, from)
        }
        Err(error) => Err(error.into()),
    }
}

/// How many files are brought to the disk at once: a disk settles many as fast as one.
const AT_ONCE: usize = 16;

/// Writes files below a folder. Errors: the least path that cannot be written, of those that were tried.
fn write_all<'f>(folder: &Path, files: &'f Files) -> Result<(), (&'f str, io::Error)> {
    let all: Vec<(&'f String, &'f Vec<u8>)> = files.iter().collect();
    let share = |part: &[(&'f String, &'f Vec<u8>)]| {
        part.iter().try_for_each(|(path, bytes)| {
            let written = temporary::write(|| write(&folder.join(path), bytes));
            written.map_err(|error| (path.as_str(), error))
        })
    };
    let parts = all.chunks(all.len().div_ceil(AT_ONCE).max(1));
    let done: Vec<Result<(), (&'f str, io::Error)>> = std::thread::scope(|scope| {
        let writers: Vec<_> = parts.map(|part| scope.spawn(move || share(part))).collect();
        // A writer that panics is a fault of ours; it goes on here, and is reported where all faults are.
        writers.into_iter().map(|it| it.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))).collect()
    });
    done.into_iter().collect()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder and those above it. Says which it made, the innermost first.
fn make_parents(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let absent: Vec<PathBuf> = parent.ancestors().take_while(|it| !it.exists()).map(Path::to_path_buf).collect();
    fs::create_dir_all(parent).map_err(|error| {
        absent.iter().for_each(|it| drop(fs::remove_dir(it)));
        format!("cannot make `{}`: {error}", parent.display())
    })?;
    Ok(absent)
}

/// Whether everything in a folder was written by a build. Errors: for people, with the first thing that was not.
fn check_ours(dir: &Path) -> Result<(), String> {
    let way_out = "name an empty or new `--out-dir`, or remove what is there";
    let foreign = |what: &str| Err(format!("`{}` {what}, so it is not replaced; {way_out}", dir.display()));
    let entries = |dir: &Path| -> Result<Vec<(String, bool)>, String> {
        let cannot = |error: io::Error| format!("cannot read `{}`: {error}", dir.display());
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let is_dir = entry.file_type().map_err(cannot)?.is_dir();
            entries.push((entry.file_name().to_string_lossy().into_owned(), is_dir));
        }
        entries.sort();
        Ok(entries)
    };
    if !dir.is_dir() {
        return foreign("is a file");
    }
    let top = entries(dir)?;
    if top.is_empty() {
        return Ok(());
    }
    if !is_index(&dir.join(INDEX)) {
        return foreign("holds files and no index of a build");
    }
    for (name, is_dir) in top {
        match (name.as_str(), is_dir) {
            (INDEX | IGNORE | SOURCES | "peers.json", false) => {}
            ("images" | "nodes" | objects::FOLDER, true) => {
                let endings = match name.as_str() {
                    "images" => &[".tgi", ENDING][..],
                    "nodes" => &[".json"],
                    _ => &[objects::ENDING],
                };
                let is_ours = |file: &str| endings.iter().any(|ending| file.ends_with(ending));
                let inside = entries(&dir.join(&name))?;
                if let Some((other, _)) = inside.iter().find(|(file, is_dir)| *is_dir || !is_ours(file)) {
                    return foreign(&format!("holds `{name}/{other}`, which no build wrote"));
                }
            }
            _ => return foreign(&format!("holds `{name}`, which no build wrote")),
        }
    }
    Ok(())
}

fn is_index(path: &Path) -> bool {
    let Ok(text) = crate::files::text(path) else { return false };
    let Ok(index) = serde_json::from_str::<serde_json::Value>(&text) else { return false };
    index["apiVersion"] == API_VERSION && index["kind"] == "BuildIndex"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(content: &str) -> Files {
        let index = format!(r#"{{"apiVersion":"{API_VERSION}","kind":"BuildIndex","content":"{content}"}}"#);
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        Files::from([file(INDEX, &index), file(&format!("images/{content}.tgi"), content)])
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_replaced_whole_and_nothing_stays_beside_it() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("deep/er/out");
        replace(&dir, &files("one")).unwrap();
        replace(&dir, &files("two")).unwrap();
        assert_eq!(names(&dir.join("images")), ["two.tgi"]);
        assert_eq!(names(dir.parent().unwrap()), ["out"]);
    }

    #[test]
    fn a_folder_with_files_of_others_is_refused_and_untouched() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("out");
        replace(&dir, &files("one")).unwrap();
        fs::write(dir.join("notes.txt"), "mine").unwrap();
        let error = replace(&dir, &files("two")).unwrap_err();
        assert!(error.contains("`notes.txt`") && error.contains("--out-dir"), "{error}");
        assert_eq!(names(&dir), ["images", "index.json", "notes.txt"]);
        assert_eq!(names(&dir.join("images")), ["one.tgi"]);
        fs::remove_file(dir.join(INDEX)).unwrap();
        assert!(replace(&dir, &files("two")).unwrap_err().contains("no index of a build"));
    }

    #[test]
    fn a_link_stays_a_link_and_what_it_points_at_is_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let (dir, link) = (scratch.path().join("out"), scratch.path().join("link"));
        replace(&dir, &files("one")).unwrap();
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        replace(&link, &files("two")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(&dir.join("images")), ["two.tgi"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_no_trace() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("new/out");
        let impossible = Files::from([("images".to_owned(), vec![]), ("images/x.tgi".to_owned(), vec![])]);
        let error = replace(&dir, &impossible).unwrap_err();
        assert!(error.contains("cannot write"), "{error}");
        assert_eq!(names(scratch.path()), [""; 0]);
        assert!(replace(&PathBuf::from("/"), &files("one")).is_err());
    }
}
