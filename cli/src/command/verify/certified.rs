//! Whether an image that was proved again is the one that its certificate speaks of.

use crate::certificate::{CertificateFile, KIND, beside};
use crate::files;
use crate::report::API_VERSION;
use diag::Diagnostic;
use serde::Deserialize;
use std::path::Path;
use verify::Certificate;
use verify::certificate::CHECKER;

/// What a certificate is, for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It says what was proved again.
    Agrees,
    /// It is by another checker, and of this image.
    OtherChecker,
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable,
    /// It says something else.
    Differs,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Agrees => "agrees",
            State::OtherChecker => "otherChecker",
            State::Missing => "missing",
            State::Unreadable => "unreadable",
            State::Differs => "differs",
        }
    }

    /// Whether the image is what was certified.
    pub(super) fn is_good(self) -> bool {
        matches!(self, State::Agrees | State::OtherChecker)
    }
}

/// What certificates of every version say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    checker: u64,
    image: String,
}

/// Compares the certificate beside an image with a proof of today.
pub(super) fn compare(image: &Path, proof: &Certificate) -> (State, Option<Diagnostic>) {
    let path = beside(image);
    let name = path.display().to_string();
    let unreadable = |reason: String| (State::Unreadable, Some(checks::built::certificate_unreadable(&name, &reason)));
    let differs = |parts: Vec<String>| match parts.is_empty() {
        true => (State::Agrees, None),
        false => (State::Differs, Some(checks::built::certificate_differs(&name, &parts))),
    };
    if std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return (State::Missing, Some(checks::built::certificate_missing(&image.display().to_string(), &name)));
    }
    let text = match files::text(&path) {
        Ok(text) => text,
        Err(reason) => return unreadable(reason),
    };
    let head: Head = match serde_json::from_str(&text) {
        Ok(head) => head,
        Err(error) => return unreadable(error.to_string()),
    };
    let ours = CertificateFile::of(proof);
    if (head.api_version.as_str(), head.kind.as_str()) != (API_VERSION, KIND) {
        return unreadable(format!("it is a {} of {}", head.kind, head.api_version));
    }
    if head.checker != u64::from(CHECKER) {
        let other = checks::built::certificate_of_other_checker(&name, head.checker, CHECKER);
        return if head.image == ours.image {
            (State::OtherChecker, Some(other))
        } else {
            differs(vec!["image".into()])
        };
    }
    match serde_json::from_str::<CertificateFile>(&text) {
        Ok(theirs) => differs(ours.differences(&theirs)),
        Err(error) => unreadable(error.to_string()),
    }
}
