//! Finds and reads the manifests that PATH arguments name.

use crate::cluster::packed;
use crate::inputs;
use diag::Diagnostic;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
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

/// What stands for a path where the live cluster could not be asked.
pub const LIVE: &str = "--cluster live";

/// What else can be done then.
const WITHOUT_CLUSTER: &str = "name a kubeconfig with `--kubeconfig FILE` and a context with `--context NAME`, or give the facts as a file: \
    `--cluster FILE` takes what `tidegate snapshot` or `kubectl get -A -o yaml` wrote";

impl Unreadable {
    /// What can be done, where it is not plain.
    pub fn way_out(&self) -> Option<&'static str> {
        (self.path == LIVE).then_some(WITHOUT_CLUSTER)
    }

    /// As a finding.
    pub fn diagnostic(&self) -> Diagnostic {
        match self.way_out() {
            Some(way_out) => checks::no_cluster(&self.path, &self.reason, way_out),
            None => checks::unreadable(&self.path, &self.reason),
        }
    }
}

/// What the paths hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Sorted by path, each file once.
    pub manifests: Vec<Manifest>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Of each path that holds no manifest at all, what to say of it.
    pub empty: Vec<String>,
}

/// The greatest file that is read, in bytes: the longest text that the reader of YAML takes. What is greater is refused unread, so that it
/// costs neither time nor memory and is never taken for an empty one.
pub const MAX_BYTES: u64 = 1 << 28;

/// What is taken of what the paths name.
#[derive(Clone, Debug)]
pub struct Take {
    /// What is left out of folders, by patterns as in `.gitignore`.
    pub exclude: ignore::gitignore::Gitignore,
    /// Whether what `.ignore` and `.tidegateignore` files name is left out of folders, too.
    pub heeds_ignore_files: bool,
    /// The greatest file that is read, in bytes.
    pub most: u64,
    /// What standard input is called.
    pub input: String,
    /// The configuration files that say so.
    pub configuration: Vec<PathBuf>,
}

impl Default for Take {
    fn default() -> Take {
        let exclude = ignore::gitignore::Gitignore::empty();
        Take { exclude, heeds_ignore_files: true, most: MAX_BYTES, input: "-".into(), configuration: Vec::new() }
    }
}

/// Reads every manifest below the paths.
///
/// Shape and errors: as [`read_with`], nothing left out.
pub fn read(paths: &[String]) -> Gathered {
    read_with(paths, &Take::default())
}

/// Reads every manifest below the paths that is to be taken.
///
/// Shape: a folder gives its `.yaml`, `.yml` and `.json` files, hidden ones and those that an `.ignore` or `.tidegateignore` file names left out; what git
/// ignores is read all the same, for it is applied all the same. A file that is named is read whatever its ending, unpacked where it ends in `.gz` or `.zst`;
/// `-` is standard input.
/// Errors: collected, never fatal: all problems are reported in one run.
pub fn read_with(paths: &[String], take: &Take) -> Gathered {
    let Gathered { mut manifests, mut unreadable, mut empty } = Gathered::default();
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    for path in paths {
        if path == "-" {
            match read_input(take.most) {
                Ok(text) => {
                    if text.trim().is_empty() {
                        empty.push("no manifests on standard input: it is empty".into());
                    }
                    manifests.push(Manifest { path: take.input.clone(), text });
                }
                Err(reason) => unreadable.push(Unreadable { path: take.input.clone(), reason }),
            }
            continue;
        }
        let before = unreadable.len();
        let here = collect(Path::new(path), take, &mut unreadable);
        if here.is_empty() && unreadable.len() == before {
            empty.push(format!("no manifests in `{path}`: looked for .yaml, .yml and .json"));
        }
        found.extend(here);
    }
    let is_named = |path: &Path| paths.iter().any(|it| Path::new(it) == path);
    for path in found {
        let shown = shown(&path);
        let opened = open(&path, take.most).and_then(|file| {
            inputs::remember(&file, is_named(&path), &path);
            packed::unpacked(&path, file)
        });
        match opened.and_then(|file| read_text(file, take.most)) {
            Ok(text) => manifests.push(Manifest { path: shown, text }),
            Err(reason) => unreadable.push(Unreadable { path: shown, reason }),
        }
    }
    manifests.sort_by(|a, b| a.path.cmp(&b.path));
    manifests.dedup_by(|a, b| a.path == b.path);
    unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    unreadable.dedup();
    Gathered { manifests, unreadable, empty }
}

/// A walk through a folder that takes what is to be taken, and of that what is wanted.
fn walk(path: &Path, take: &Take, wanted: impl Fn(&Path) -> bool + Send + Sync + 'static) -> ignore::WalkBuilder {
    let mut walk = ignore::WalkBuilder::new(path);
    walk.git_ignore(false).git_exclude(false).git_global(false).ignore(take.heeds_ignore_files);
    if take.heeds_ignore_files {
        walk.add_custom_ignore_filename(".tidegateignore");
    }
    let exclude = take.exclude.clone();
    walk.filter_entry(move |entry| {
        let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
        entry.depth() == 0 || wanted(entry.path()) && !is_excluded(&exclude, entry.path(), is_dir)
    });
    walk
}

/// Whether reading a folder takes a file in it. Cost: the folders on the way are listed.
pub fn takes(folder: &Path, file: &Path, take: &Take) -> bool {
    let is_near = is_manifest(file) && file.starts_with(folder) && file.is_file();
    let way = file.to_path_buf();
    let mut found = walk(folder, take, move |path| way.starts_with(path)).build().flatten();
    is_near && found.any(|entry| entry.path() == file)
}

/// The manifests of one path.
fn collect(path: &Path, take: &Take, unreadable: &mut Vec<Unreadable>) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            found.insert(path.to_path_buf());
            return found;
        }
        Err(error) => {
            unreadable.push(Unreadable { path: shown(path), reason: error.to_string() });
            return found;
        }
    }
    for entry in walk(path, take, |_| true).build() {
        match entry {
            // A pipe in a folder would be waited for, perhaps for ever; one that is named is read.
            Ok(entry) if is_manifest(entry.path()) && entry.path().is_file() => {
                found.insert(entry.into_path());
            }
            Ok(entry) if is_manifest(entry.path()) && is_broken(entry.path()) => {
                let reason = "it is a link to what is not there".to_owned();
                unreadable.push(Unreadable { path: shown(entry.path()), reason });
            }
            Ok(_) => {}
            Err(error) => {
                let place = at(&error).unwrap_or(path).to_path_buf();
                // Why by its kind: the text of the error names the path once more.
                let said = error.io_error().map(|io| io::Error::from(io.kind()).to_string());
                let reason = said.unwrap_or_else(|| error.to_string());
                unreadable.push(Unreadable { path: shown(&place), reason });
            }
        }
    }
    found
}

/// Whether a path is a link that leads nowhere.
fn is_broken(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

/// The manifests of a folder that are left out of it: by `exclude`, or by what `.ignore` and `.tidegateignore` files name.
pub fn excluded(path: &str, take: &Take) -> Vec<Manifest> {
    let folder = Path::new(path);
    if !folder.is_dir() {
        return Vec::new();
    }
    let all = Take { exclude: ignore::gitignore::Gitignore::empty(), heeds_ignore_files: false, ..take.clone() };
    let (all, taken) = (collect(folder, &all, &mut Vec::new()), collect(folder, take, &mut Vec::new()));
    let paths: Vec<String> = all.difference(&taken).map(|it| it.to_string_lossy().into_owned()).collect();
    if paths.is_empty() { Vec::new() } else { read_with(&paths, take).manifests }
}

/// Whether patterns leave a path out. They are relative to the folder of their configuration, paths to the current one.
pub fn is_excluded(patterns: &ignore::gitignore::Gitignore, path: &Path, is_dir: bool) -> bool {
    if patterns.is_empty() {
        return false;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.starts_with(patterns.path()) && patterns.matched_path_or_any_parents(&path, is_dir).is_ignore()
}

/// Where a walk went wrong.
fn at(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => at(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// Whether a file of a folder is taken for a manifest.
pub fn is_manifest(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// The text of one file that is no manifest, such as a baseline.
///
/// Errors: for people, without its name; a folder, no text, more than [`MAX_BYTES`], which is refused unread.
pub fn text(path: &Path) -> Result<String, String> {
    let file = open(path, MAX_BYTES)?;
    inputs::remember(&file, true, path);
    read_text(file, MAX_BYTES)
}

/// The bytes of one file.
///
/// Errors: as [`text`], but for what is no text.
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    read_bytes(open(path, MAX_BYTES)?, MAX_BYTES)
}

/// The text of standard input. Errors: as [`text`].
pub fn input() -> Result<String, String> {
    read_input(MAX_BYTES)
}

/// Reads standard input. A file there is refused unread where it is too great; of a pipe nobody knows before.
fn read_input(most: u64) -> Result<String, String> {
    let length = io::stdin().as_fd().try_clone_to_owned().and_then(|it| Ok(File::from(it).metadata()?.len()));
    match length {
        Ok(length) if length > most => Err(too_great(most)),
        _ => read_text(io::stdin().lock(), most),
    }
}

/// The text of something that is `length` bytes long. Errors: as [`text`].
pub fn text_of(input: impl Read, length: u64) -> Result<String, String> {
    if length > MAX_BYTES { Err(too_great(MAX_BYTES)) } else { read_text(input, MAX_BYTES) }
}

/// Opens a file that is to be read whole.
fn open(path: &Path, most: u64) -> Result<File, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    match meta.len() {
        _ if meta.is_dir() => Err("it is a folder, and a file is wanted".into()),
        length if length > most => Err(too_great(most)),
        _ => Ok(file),
    }
}

fn read_bytes(input: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most { Err(too_great(most)) } else { Ok(bytes) }
}

fn read_text(input: impl Read, most: u64) -> Result<String, String> {
    String::from_utf8(read_bytes(input, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8 text (byte {at} is no character); is it a binary file?")
    })
}

fn too_great(most: u64) -> String {
    let way_out = match most {
        MAX_BYTES => "split it into several files",
        _ => "split it into several files, or raise `max-file-mib` of the configuration",
    };
    format!("it is greater than {} MiB, the most that is read of one file; {way_out}", most >> 20)
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
        let Gathered { manifests, unreadable, empty } = read(&[root.clone(), format!("{root}/a.yml")]);
        assert_eq!(empty, Vec::<String>::new());
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
        let Gathered { manifests, unreadable, .. } = read(&paths);
        assert_eq!(manifests, []);
        assert_eq!(unreadable.len(), 2);
        assert!(unreadable.iter().any(|it| it.reason.contains("byte 1 is no character")), "{unreadable:?}");
    }

    #[test]
    fn what_git_ignores_is_read_and_what_an_ignore_file_names_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        for (name, text) in [(".gitignore", "*\n"), (".ignore", "edit.yaml\n"), ("a.yaml", "a"), ("edit.yaml", "edit")]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let found = read(&[folder.path().to_str().unwrap().to_owned()]);
        let names: Vec<_> = found.manifests.iter().map(|m| m.text.as_str()).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn a_folder_without_manifests_is_said_to_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap().to_owned();
        let found = read(std::slice::from_ref(&root));
        assert_eq!(found.empty, [format!("no manifests in `{root}`: looked for .yaml, .yml and .json")]);
    }
}
