//! Files of a git revision, read by git and without a shell.

use crate::files::Manifest;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Takes `REVISION:PATH` apart; `None` for what is a file or folder, or has no colon.
pub fn parts(word: &str) -> Option<(&str, &str)> {
    let (revision, path) = word.split_once(':')?;
    let named = !revision.is_empty() && !Path::new(word).exists();
    named.then_some((revision, if path.is_empty() { "." } else { path }))
}

/// The manifests below a path as they are in a revision, each called `REVISION:PATH`. Shape: of a folder those that end in `.yaml`, `.yml`
/// or `.json`; a file that is named, whatever its ending.
///
/// Errors: for people; no repository, no such revision, no such path.
pub fn read(revision: &str, path: &str) -> Result<Vec<Manifest>, String> {
    git(&["rev-parse", "--git-dir"]).map_err(|error| match error.starts_with("cannot run") {
        true => error,
        false => format!("`{revision}:{path}` asks git, and the current folder is in no git repository"),
    })?;
    let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
        .map_err(|_| format!("git knows no revision `{revision}`; is it fetched?"))?;
    let commit = commit.trim();
    let listed = git(&["ls-tree", "-r", "-z", "--name-only", commit, "--", path])
        .map_err(|error| format!("cannot list `{revision}:{path}`: {error}"))?;
    let is_manifest = |name: &str| {
        let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
    };
    let plain = |path: &str| path.trim_start_matches("./").trim_end_matches('/').to_owned();
    let wanted = |name: &&str| !name.is_empty() && !name.contains('\n') && (is_manifest(name) || plain(path) == **name);
    let names: Vec<&str> = listed.split('\0').filter(wanted).collect();
    if names.is_empty() {
        return Err(format!("no manifests in `{revision}:{path}`: looked for .yaml, .yml and .json"));
    }
    contents(revision, commit, &names).map_err(|error| format!("cannot read `{revision}:{path}`: {error}"))
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

fn contents(revision: &str, commit: &str, names: &[&str]) -> Result<Vec<Manifest>, String> {
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| no_git(&error))?;
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("git has no pipes".into());
    };
    let asked: String = names.iter().map(|name| format!("{commit}:./{name}\n")).collect();
    // Why a thread: git answers while it is asked, and both pipes are short.
    let asking = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let mut bytes = Vec::new();
    let read = stdout.read_to_end(&mut bytes);
    // A question that git did not take shows in its answer.
    let _ = asking.join();
    let ended = child.wait();
    read.map_err(|error| error.to_string())?;
    if !ended.is_ok_and(|it| it.success()) {
        return Err("git ended early".into());
    }
    let texts = split(&bytes, names).ok_or("git answers in a form of its own")?;
    let manifest = |(name, text): (&&str, Option<String>)| {
        let text = text.ok_or_else(|| format!("`{name}` is not UTF-8 text; is it a binary file?"))?;
        Ok(Manifest { path: format!("{revision}:{name}"), text })
    };
    names.iter().zip(texts).map(manifest).collect()
}

/// Takes the answers apart: `HASH blob SIZE`, a line break, the bytes, a line break. `None` inside for what is no text.
fn split(mut bytes: &[u8], names: &[&str]) -> Option<Vec<Option<String>>> {
    let mut out = Vec::new();
    for _ in names {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        bytes = &bytes[end + 1..];
        let size: usize = head.rsplit(' ').next()?.parse().ok()?;
        out.push(String::from_utf8(bytes.get(..size)?.to_vec()).ok());
        bytes = bytes.get(size + 1..)?;
    }
    Some(out)
}
