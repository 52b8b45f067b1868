//! Files of a revision, read with git and without a shell.

mod entries;
mod ignored;

use crate::files::{self, Manifest, Take, Unreadable, is_excluded, is_manifest};
use entries::{Entry, Kind, Place, Tree};
use ignored::{Ignored, Why};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// A file of a revision.
pub struct Blob {
    /// Its path, relative to the current folder.
    pub path: String,
    /// What it holds; for what is no text, or too great, why it is not read.
    pub text: Result<String, String>,
}

/// Takes `REVISION:PATH` apart; `None` for what is a file or folder, or has no colon.
pub fn parts(word: &str) -> Option<(&str, &str)> {
    let (revision, path) = word.split_once(':')?;
    let named = !revision.is_empty() && !Path::new(word).exists();
    named.then_some((revision, if path.is_empty() { "." } else { path }))
}

/// What a path of a revision holds.
#[derive(Default)]
pub struct Taken {
    /// Its manifests, each called `REVISION:PATH`.
    pub manifests: Vec<Manifest>,
    /// Links that lead to nothing that the revision has, and other repositories.
    pub unreadable: Vec<Unreadable>,
}

/// The manifests below a path as they are in a revision, each called `REVISION:PATH`. Shape: of a folder those that end in `.yaml`, `.yml`
/// or `.json` and are not excluded, hidden ones and those that an `.ignore` or `.tidegateignore` file of the revision names left out, as of
/// a folder; a file that is named, whatever its ending. Links are followed within the revision.
///
/// Errors: for people; no repository, no such revision, no such path, a manifest that is no text.
pub fn manifests(revision: &str, path: &str, take: &Take) -> Result<Taken, String> {
    let found = manifests_if_any(revision, path, take)?;
    match found.manifests.is_empty() && found.unreadable.is_empty() {
        true => Err(format!("no manifests in `{revision}:{path}`: looked for .yaml, .yml and .json")),
        false => Ok(found),
    }
}

/// As [`manifests`], where a path may hold none: what a change adds was not there before.
///
/// Errors: likewise, but for a path without manifests.
pub fn manifests_if_any(revision: &str, path: &str, take: &Take) -> Result<Taken, String> {
    let named = plain(path);
    below(revision, path, |name, is_file, why| {
        let it = Path::new(name);
        let is_named = named == name;
        is_named || why.is_none() && !is_excluded(&take.exclude, it, !is_file) && (!is_file || is_manifest(it))
    })
}

/// The manifests below a path of a revision that are left out: by `exclude`, or by what `.ignore` and `.tidegateignore` files of it name.
///
/// Errors: as [`manifests_if_any`].
pub fn excluded(revision: &str, path: &str, take: &Take) -> Result<Vec<Manifest>, String> {
    let named = plain(path);
    let left_out = |it: &Path, why| match why {
        Some(Why::Hidden) => false,
        Some(Why::Named) => true,
        None => is_excluded(&take.exclude, it, false),
    };
    let wanted = |name: &str, is_file: bool, why| {
        is_file && named != name && is_manifest(Path::new(name)) && left_out(Path::new(name), why)
    };
    below(revision, path, wanted).map(|it| it.manifests)
}

/// A path as git writes it.
fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

/// What is wanted below a path. `wanted` chooses by path, by whether it is a file or a link, or else another repository, and by why a folder
/// would not have it.
fn below(revision: &str, path: &str, wanted: impl Fn(&str, bool, Option<Why>) -> bool) -> Result<Taken, String> {
    let commit = commit(revision)?;
    let said = |error| format!("cannot list the files of `{revision}`: {error}");
    let mut entries = entries::list(&commit, &[path.to_owned()], false).map_err(said)?;
    let named = plain(path);
    let mut tree = None;
    let is_link = |it: &Entry| it.kind == Kind::Link;
    if entries.is_empty() || entries.iter().any(is_link) {
        let whole = Tree::of(&commit).map_err(said)?;
        // Why: what stands behind a link is listed by no name that goes through it.
        if entries.iter().all(|it| is_link(it) && it.path == named) {
            entries = match whole.place(path) {
                Ok(Place::Folder(folder)) => inside(&commit, &folder, named).map_err(said)?,
                Ok(Place::File(object)) => vec![Entry { kind: Kind::File, object, path: named.to_owned() }],
                Err(_) => entries,
            };
        }
        tree = Some(whole);
    }
    let ignored = Ignored::of(&commit, path, &entries).map_err(said)?;
    entries.retain(|it| wanted(&it.path, it.kind != Kind::Submodule, ignored.leaves_out(&it.path)));
    let mut taken = Taken::default();
    let mut files: Vec<(String, String)> = Vec::new();
    for Entry { kind, object, path } in entries {
        let led = tree.as_ref().filter(|_| kind == Kind::Link).map(|tree| tree.place(&path));
        let reason = match (kind, led) {
            (Kind::Submodule, _) => {
                "it is a submodule, another repository, so its files are not compared; `exclude` leaves it out".into()
            }
            (_, Some(Err(why))) => why,
            // As in a folder of today, where a link to a folder is not followed.
            (_, Some(Ok(Place::Folder(_)))) => continue,
            (_, Some(Ok(Place::File(object)))) => {
                files.push((object, path));
                continue;
            }
            (_, None) => {
                files.push((object, path));
                continue;
            }
        };
        taken.unreadable.push(Unreadable { path: format!("{revision}:{path}"), reason });
    }
    let blobs = contents(files).map_err(|error| format!("cannot read the files of `{revision}`: {error}"))?;
    for Blob { path, text } in blobs {
        let path = format!("{revision}:{path}");
        let text = text.map_err(|why| format!("cannot read `{path}`: {why}"))?;
        taken.manifests.push(Manifest { path, text });
    }
    Ok(taken)
}

/// The entries of a folder, as if they stood in another.
fn inside(commit: &str, folder: &str, shown: &str) -> Result<Vec<Entry>, String> {
    let folders: &[String] = if folder.is_empty() { &[] } else { &[folder.to_owned()] };
    let entries = entries::list(commit, folders, true)?;
    let within = |path: &str| path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/').to_owned();
    Ok(entries.into_iter().map(|it| Entry { path: format!("{shown}/{}", within(&it.path)), ..it }).collect())
}

/// The names of all files of a revision at or below the current folder, relative to it.
///
/// Errors: for people.
pub fn names(revision: &str) -> Result<Vec<String>, String> {
    let commit = commit(revision)?;
    let names = git(&["ls-tree", "-r", "-z", "--name-only", &commit])
        .map_err(|error| format!("cannot list the files of `{revision}`: {error}"))?;
    Ok(names.split('\0').filter(|it| !it.is_empty()).map(str::to_owned).collect())
}

/// What a file of now was in a revision; `None` where it was not there. Shape: an error stands for a file that is not of this repository.
///
/// Errors: for people.
pub fn before(revision: &str, file: &Path) -> Result<Option<String>, String> {
    let commit = commit(revision)?;
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let root = Path::new(root.trim_end_matches('\n')).canonicalize().map_err(|error| error.to_string())?;
    let file = file.canonicalize().map_err(|error| error.to_string())?;
    let inside = file.strip_prefix(&root).map_err(|_| format!("`{}` is not of this repository", file.display()))?;
    Ok(git(&["cat-file", "blob", &format!("{commit}:{}", inside.display())]).ok())
}

/// What a file was when it was committed last; `None` where it was not, or stands in no repository.
pub fn committed(file: &Path) -> Option<String> {
    let folder = file.parent()?.to_str()?;
    git(&["-C", folder, "show", &format!("HEAD:./{}", file.file_name()?.to_str()?)]).ok()
}

/// Reads the files below some paths as they are in a revision, in the order in which git lists them.
///
/// `wanted` chooses by path, relative to the current folder. Errors: for people.
pub fn read(revision: &str, paths: &[String], wanted: impl Fn(&str) -> bool) -> Result<Vec<Blob>, String> {
    let commit = commit(revision)?;
    let listed = entries::list(&commit, paths, false);
    let listed = listed.map_err(|error| format!("cannot list the files of `{revision}`: {error}"))?;
    let files = listed.into_iter().filter(|it| it.kind != Kind::Submodule && wanted(&it.path));
    contents(files.map(|it| (it.object, it.path)).collect())
        .map_err(|error| format!("cannot read the files of `{revision}`: {error}"))
}

/// The commit that a revision names.
fn commit(revision: &str) -> Result<String, String> {
    git(&["rev-parse", "--git-dir"]).map_err(|error| match error.starts_with("cannot run") {
        true => error,
        false => format!("cannot read revision `{revision}`: the current folder is in no git repository"),
    })?;
    let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
        .map_err(|error| match error.is_empty() {
            true => format!("git knows no revision `{revision}`; is it fetched?"),
            false => format!("git knows no revision `{revision}`: {error}"),
        })?;
    Ok(commit.trim().to_owned())
}

/// What git prints. Errors: what it says on standard error.
fn git(args: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(args).stdin(Stdio::null()).output().map_err(|it| no_git(&it))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    String::from_utf8(output.stdout).map_err(|_| "a name there is no UTF-8 text".to_owned())
}

fn no_git(error: &std::io::Error) -> String {
    format!("cannot run git: {error}")
}

/// What some files hold, each an object with the path that it is shown by.
fn contents(files: Vec<(String, String)>) -> Result<Vec<Blob>, String> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| no_git(&error))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err("git has no pipes".into()) };
    let asked: String = files.iter().map(|(object, _)| format!("{object}\n")).collect();
    // Why a thread: git answers while it is asked, and both pipes are short.
    let asking = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let mut answers = BufReader::new(stdout);
    let read: io::Result<Vec<Option<Blob>>> = files.iter().map(|(_, path)| answer(&mut answers, path)).collect();
    // Closed before git is waited for, so that it never waits for a reader who left.
    drop(answers);
    let _ = asking.join();
    let ended = child.wait();
    let blobs = read.map_err(|error| error.to_string())?;
    if !ended.is_ok_and(|it| it.success()) {
        return Err("git ended early".into());
    }
    Ok(blobs.into_iter().flatten().collect())
}

/// Reads one answer: `HASH blob SIZE`, a line break, the bytes, a line break. `None` for what is no file.
fn answer(answers: &mut impl BufRead, name: &str) -> io::Result<Option<Blob>> {
    let unknown = || io::Error::other("git answers in a form of its own");
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let mut parts = head.trim_end().rsplit(' ');
    let size = match parts.next() {
        Some("missing") => return Ok(None),
        size => size.and_then(|it| it.parse::<u64>().ok()).ok_or_else(unknown)?,
    };
    let is_file = parts.next() == Some("blob");
    let mut body = answers.by_ref().take(size);
    let text = if is_file { files::text_of(&mut body, size) } else { Ok(String::new()) };
    // What was not read of it, and the line break behind.
    io::copy(&mut body, &mut io::sink())?;
    answers.read_exact(&mut [0])?;
    Ok(is_file.then(|| Blob { path: name.to_owned(), text }))
}
