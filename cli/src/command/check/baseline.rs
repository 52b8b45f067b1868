//! `--baseline FILE`: findings that were there before, so that only new ones count.

use super::report::Finding;
use crate::files;
use crate::output;
use crate::report::API_VERSION;
use diag::Diagnostic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Findings that are accepted as they are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: String,
    /// Always `Baseline`.
    pub kind: String,
    /// Ascending by file, code and fingerprint.
    pub findings: Vec<Entry>,
}

/// One accepted finding. Only the fingerprint is compared; the rest is for readers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The file; empty for what stands in none.
    pub file: String,
    /// Its code.
    pub code: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its headline.
    pub message: String,
}

impl Baseline {
    /// The baseline of findings.
    pub fn of(found: &[Finding]) -> Baseline {
        let entry = |it: &Finding| Entry {
            file: it.place.as_ref().map_or(String::new(), |place| place.file.clone()),
            code: it.code.clone(),
            fingerprint: it.fingerprint.clone(),
            message: it.message.clone(),
        };
        let mut findings: Vec<Entry> = found.iter().map(entry).collect();
        findings.sort();
        Baseline { api_version: API_VERSION.to_owned(), kind: "Baseline".to_owned(), findings }
    }

    /// Reads a file; a file that does not exist yet is an empty baseline where it is about to be written.
    ///
    /// Errors: for people, with the way out.
    pub fn read(path: &Path, may_be_absent: bool) -> Result<Baseline, String> {
        if may_be_absent && !path.exists() {
            return Ok(Baseline::of(&[]));
        }
        let text = files::text(path).map_err(|why| {
            let path = path.display();
            format!("cannot read the baseline `{path}`: {why}; `--baseline {path} --update-baseline` writes one")
        })?;
        let read: Baseline =
            serde_json::from_str(&text).map_err(|error| format!("`{}` is no baseline: {error}", path.display()))?;
        match (read.api_version.as_str(), read.kind.as_str()) {
            (API_VERSION, "Baseline") => Ok(read),
            (version, kind) => Err(format!("`{}` is no baseline: it is a {kind} of {version}", path.display())),
        }
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        output::write_file(path, crate::command::json(self)?.as_bytes())
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    }

    /// Its fingerprints.
    pub fn fingerprints(&self) -> BTreeSet<&str> {
        self.findings.iter().map(|entry| entry.fingerprint.as_str()).collect()
    }

    /// A finding for each entry that nothing answers to, of files that were read or that are gone.
    pub fn stale(&self, path: &Path, found: &BTreeSet<&str>, was_read: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let gone = self.findings.iter().filter(|entry| !found.contains(entry.fingerprint.as_str()));
        let looked =
            gone.filter(|entry| entry.file.is_empty() || was_read(&entry.file) || !Path::new(&entry.file).exists());
        // Of several alike one is said: a file that is gone takes all its entries along.
        let said: BTreeMap<(&str, &str, &str), &Entry> =
            looked.map(|entry| ((entry.file.as_str(), entry.code.as_str(), entry.message.as_str()), entry)).collect();
        let name = path.display().to_string();
        said.values().map(|entry| checks::stale_entry(&name, &entry.file, &entry.code, &entry.message)).collect()
    }
}
