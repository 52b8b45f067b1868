//! Files of a revision, read with git and without a shell.

use crate::files::{self, Manifest, Take, is_excluded, is_manifest};
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

/// The manifests below a path as they are in a revision, each called `REVISION:PATH`. Shape: of a folder those that end in `.yaml`, `.yml`
/// or `.json` and are not excluded; a file that is named, whatever its ending.
///
/// Errors: for people; no repository, no such revision, no such path, a manifest that is no text.
pub fn manifests(revision: &str, path: &str, take: &Take) -> Result<Vec<Manifest>, String> {
    let found = manifests_if_any(revision, path, take)?;
    match found.is_empty() {
        true => Err(format!("no manifests in `{revision}:{path}`: looked for .yaml, .yml and .json")),
        false => Ok(found),
    }
}

/// As [`manifests`], where a path may hold none: what a change adds was not there before.
///
/// Errors: likewise, but for a path without manifests.
pub fn manifests_if_any(revision: &str, path: &str, take: &Take) -> Result<Vec<Manifest>, String> {
    let plain = path.trim_start_matches("./").trim_end_matches('/');
    let is_taken = |name: &Path| is_manifest(name) && !is_excluded(&take.exclude, name, false);
    let blobs = read(revision, &[path.to_owned()], |name| is_taken(Path::new(name)) || plain == name)?;
    let manifest = |Blob { path, text }| {
        let path = format!("{revision}:{path}");
        let text = text.map_err(|why| format!("cannot read `{path}`: {why}"))?;
        Ok(Manifest { path, text })
    };
    blobs.into_iter().map(manifest).collect()
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

/// Reads the files below some paths as they are in a revision, in the order in which git lists them.
///
/// `wanted` chooses by path, relative to the current folder. Errors: for people.
pub fn read(revision: &str, paths: &[String], wanted: impl Fn(&str) -> bool) -> Result<Vec<Blob>, String> {
    let commit = commit(revision)?;
    let mut list = vec!["ls-tree", "-r", "-z", "--name-only", commit.as_str(), "--"];
    list.extend(paths.iter().map(String::as_str));
    let names = git(&list).map_err(|error| format!("cannot list the files of `{revision}`: {error}"))?;
    let names: Vec<&str> = names.split('\0').filter(|it| !it.is_empty() && !it.contains('\n') && wanted(it)).collect();
    contents(&commit, &names).map_err(|error| format!("cannot read the files of `{revision}`: {error}"))
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

/// What some files hold; what is no file, such as another repository, is left out.
fn contents(commit: &str, names: &[&str]) -> Result<Vec<Blob>, String> {
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| no_git(&error))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err("git has no pipes".into()) };
    let asked: String = names.iter().map(|name| format!("{commit}:./{name}\n")).collect();
    // Why a thread: git answers while it is asked, and both pipes are short.
    let asking = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let mut answers = BufReader::new(stdout);
    let read: io::Result<Vec<Option<Blob>>> = names.iter().map(|name| answer(&mut answers, name)).collect();
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
