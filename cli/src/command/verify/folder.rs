//! Whether a folder is still what a build wrote: each file with the digest that the index has of it.
//!
//! Digests find slips and damage. Whoever writes an index anew finds no resistance here: it is `index.json` that is worth a signature.

use super::report::{FileFault, FolderEntry, Said};
use crate::command::build::folder::{IGNORE, INDEX, seal};
use crate::command::build::report::FileEntry;
use crate::files;
use image::Digest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path};

/// What of an index is read here.
#[derive(Deserialize)]
struct Index {
    kind: String,
    files: Option<Vec<FileEntry>>,
    #[serde(default)]
    images: Vec<Named>,
    digest: Option<String>,
}

/// An image that an index names.
#[derive(Deserialize)]
struct Named {
    digest: String,
}

/// Whether a build wrote a folder, as far as names tell: it may lack a part of what belongs there.
pub(super) fn is_built(dir: &Path) -> bool {
    let has = |name: &str| dir.join(name).exists();
    let index = || files::text(&dir.join(INDEX)).is_ok_and(|text| text.contains("BuildIndex"));
    has("images") && (has(INDEX) || has("peers.json")) || index()
}

/// Compares a folder with its index.
///
/// Errors: a folder of it that cannot be listed.
pub(super) fn compare(dir: &Path) -> io::Result<FolderEntry> {
    let mut found = BTreeSet::new();
    list(dir, "", &mut found)?;
    let mut faults = BTreeMap::new();
    let index = index(dir, &mut faults);
    let files = index.as_ref().and_then(|it| it.files.as_ref());
    let listed: BTreeMap<&str, &FileEntry> = files.into_iter().flatten().map(|it| (it.path.as_str(), it)).collect();
    let by_digest: BTreeMap<&str, &str> = listed.values().map(|it| (it.digest.as_str(), it.path.as_str())).collect();
    for (path, entry) in &listed {
        if let Some(reason) = fault(dir, entry, &found, &by_digest) {
            faults.insert((*path).to_owned(), reason);
        }
    }
    let is_extra = |path: &&String| files.is_some() && !listed.contains_key(path.as_str());
    for path in found.iter().filter(is_extra).filter(|path| ![INDEX, IGNORE].contains(&path.as_str())) {
        faults.insert(path.clone(), "is not listed in the index, so the build did not write it here".to_owned());
    }
    // Each image is named twice, as a file and by its digest; where the two say otherwise, either counts.
    let named = index.iter().flat_map(|it| &it.images).map(|it| format!("images/{}.tgi", it.digest));
    let listed_images = listed.keys().filter(|path| path.ends_with(".tgi")).map(|path| (*path).to_owned());
    let absent: BTreeSet<String> = named.chain(listed_images).filter(|path| !found.contains(path)).collect();
    for path in &absent {
        faults.entry(path.clone()).or_insert_with(|| "is missing: the index names the image".to_owned());
    }
    let whole = listed.keys().filter(|path| !faults.contains_key(**path)).count();
    let fault = |(path, reason): (&String, &String)| {
        let file = dir.join(path).display().to_string();
        FileFault { said: Said::of(&checks::built::not_as_built(&file, reason)), file, reason: reason.clone() }
    };
    let faults = faults.iter().map(fault).collect();
    Ok(FolderEntry { folder: dir.display().to_string(), whole, missing: absent.len(), faults })
}

/// What the index lists; `None` where it cannot tell.
fn index(dir: &Path, faults: &mut BTreeMap<String, String>) -> Option<Index> {
    let mut say = |reason: String| drop(faults.insert(INDEX.to_owned(), reason));
    if !dir.join(INDEX).exists() {
        say("is missing, so nothing says what belongs here; build again".to_owned());
        return None;
    }
    let text = match files::text(&dir.join(INDEX)) {
        Ok(text) => text,
        Err(why) => {
            say(format!("cannot be read: {why}"));
            return None;
        }
    };
    let index: Index = match serde_json::from_str(&text) {
        Ok(index) => index,
        Err(error) => {
            say(format!("is no index of a build: {error}"));
            return None;
        }
    };
    let (Some(_), Some(digest), "BuildIndex") = (&index.files, &index.digest, index.kind.as_str()) else {
        say("holds no digests of the files; a build of today writes them, so build again".to_owned());
        return None;
    };
    if seal(&text, digest).to_string() != *digest {
        say("was changed since the build: its text has another digest than it says".to_owned());
    }
    Some(index)
}

/// What is wrong with a file that the index lists.
fn fault(dir: &Path, entry: &FileEntry, found: &BTreeSet<String>, by_digest: &BTreeMap<&str, &str>) -> Option<String> {
    let inside = Path::new(&entry.path).components().all(|it| matches!(it, Component::Normal(_)));
    if !inside {
        return Some("is listed in the index and is no path inside the folder".to_owned());
    }
    if !found.contains(&entry.path) {
        return Some("is missing: the index lists it".to_owned());
    }
    if entry.digest.is_empty() {
        return Some("has no digest in the index; a build of today writes one, so build again".to_owned());
    }
    let bytes = match files::bytes(&dir.join(&entry.path)) {
        Ok(bytes) => bytes,
        Err(why) => return Some(format!("cannot be read: {why}")),
    };
    let digest = Digest::of(&bytes).to_string();
    if digest == entry.digest {
        return None;
    }
    Some(match by_digest.get(digest.as_str()) {
        Some(other) => format!("holds what the index lists as `{other}`"),
        None => "was changed since the build: its bytes have another digest than the index says".to_owned(),
    })
}

/// The files below a folder, by path; what is neither folder nor file is listed as a file.
fn list(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => list(&entry.path(), &format!("{path}/"), found)?,
            false => drop(found.insert(path)),
        }
    }
    Ok(())
}
