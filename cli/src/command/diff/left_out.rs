//! What the configuration and ignore files keep from being compared: they are part of what changes, so a change can hide itself by them.

use super::Diff;
use crate::config::NAMES;
use crate::files::{self, Manifest, Take};
use crate::git;
use std::collections::BTreeMap;
use std::path::Path;

/// What is not compared because the configuration or an ignore file says so.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// How many manifests `exclude` and ignore files leave out, of old and new.
    pub counts: [usize; 2],
    /// Those of them that one side alone has, or that are another text there.
    pub differing: Vec<String>,
    /// How the configuration differs from that of the old side's revision.
    pub configuration: Option<String>,
}

impl LeftOut {
    /// Errors: for people, what git cannot say.
    pub fn of(diff: &Diff, take: &Take) -> Result<LeftOut, String> {
        let (old, new) = (excluded(&diff.old, take)?, excluded(&diff.new, take)?);
        let named = |(within, it): (&String, &Manifest), other: &BTreeMap<String, Manifest>| {
            let same = other.get(within).is_some_and(|other| other.text == it.text);
            (!same).then(|| it.path.clone())
        };
        let mut differing: Vec<String> = new.iter().filter_map(|it| named(it, &old)).collect();
        // Why: what both sides have is named once.
        differing.extend(old.iter().filter(|(within, _)| !new.contains_key(*within)).map(|(_, it)| it.path.clone()));
        let configuration = configuration(diff, take)?;
        Ok(LeftOut { counts: [old.len(), new.len()], differing, configuration })
    }
}

/// The manifests that are left out of a side, by their paths within it.
fn excluded(side: &str, take: &Take) -> Result<BTreeMap<String, Manifest>, String> {
    let (before, path, found) = match git::parts(side) {
        Some((revision, path)) => (format!("{revision}:"), path, git::excluded(revision, path, take)?),
        None => (String::new(), side, files::excluded(side, take)),
    };
    let root = path.trim_start_matches("./").trim_end_matches('/');
    let within = |file: &str| {
        let file = file.strip_prefix(before.as_str()).unwrap_or(file);
        let inside = file.strip_prefix(root).and_then(|it| it.strip_prefix('/'));
        inside.unwrap_or(file).to_owned()
    };
    Ok(found.into_iter().map(|it| (within(&it.path), it)).collect())
}

/// Whether the configuration is another than in the revision of the old side, in words.
fn configuration(diff: &Diff, take: &Take) -> Result<Option<String>, String> {
    let Some((revision, path)) = git::parts(&diff.old) else { return Ok(None) };
    let mut said = Vec::new();
    for file in &take.configuration {
        // Why: what is outside of the repository is no part of a change.
        let Ok(before) = git::before(revision, file) else { continue };
        match before {
            None => said.push(format!("`{}` is not in `{revision}`", file.display())),
            Some(before) if files::text(file).is_ok_and(|now| now != before) => {
                said.push(format!("`{}` is another than in `{revision}`", file.display()));
            }
            Some(_) => {}
        }
    }
    if take.configuration.is_empty() && !diff.config.isolated {
        let known = git::names(revision)?;
        let folders = Path::new(path).ancestors().flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let gone = folders.map(|it| it.to_string_lossy().trim_start_matches("./").to_owned());
        let gone = gone.into_iter().find(|it| known.contains(it));
        said.extend(gone.map(|it| format!("`{it}` of `{revision}` is gone")));
    }
    Ok((!said.is_empty()).then(|| said.join(", ")))
}
